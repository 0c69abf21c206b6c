/* The lock that keeps a second server off a database: a file beside it, locked as long as the process lives.
 * */
#pragma once

/* Takes the lock of the database at path (PATH.lock, made where it is missing).  The caller closes *ret_fd to
 * give it back. -EBUSY when another process or another store of this one holds it, -errno; *ret_why then says
 * so (malloc'ed). */
__attribute__((warn_unused_result)) int lock_take(const char *path, int *ret_fd, char **ret_why);
