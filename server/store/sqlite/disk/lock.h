/* The lock that keeps a second server off a database: a file beside the database, locked for the life of the
 * process. */
#pragma once

/* Takes the lock of the database at path (PATH.lock, created if missing).  The caller closes *ret_fd to
 * release it.  -EBUSY if another process or another store of this process holds it, -errno; *ret_why then
 * explains (malloc'ed). */
__attribute__((warn_unused_result)) int lock_take(const char *path, int *ret_fd, char **ret_why);
