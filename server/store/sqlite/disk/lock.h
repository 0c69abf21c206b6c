/*
 * The lock that keeps a second server off a database: a file beside the database, locked for the life of the
 * process.  It holds a line for each server that has had the database and may have left something behind, the
 * present one last.
 */
#pragma once

struct lock {
	int fd;	       /* -1: not taken */
	char *server;  /* our line, with its line feed; "" if there is none */
	char *earlier; /* the lines of earlier servers */
};

/* Takes the lock of the database at path (PATH.lock, created if missing), and adds the line server (NULL: none) to
 * its file.  The caller calls lock_release.  -EBUSY if another process or another store of this process holds it,
 * -errno; lock->fd is then -1, and *ret_why explains (malloc'ed). */
__attribute__((warn_unused_result)) int lock_take(
	const char *path, const char *server, struct lock *lock, char **ret_why);

/* Leaves only our own line in the file.  -errno. */
__attribute__((warn_unused_result)) int lock_forget(struct lock *lock);

/* Releases a lock that was taken; the lines stay in the file. */
void lock_release(struct lock *lock);
