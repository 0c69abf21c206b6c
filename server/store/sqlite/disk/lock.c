/*
 * The lock on a database.  SQLite's own lock would protect the database only once it is open, and never the
 * spool; and POSIX locks do not work within one process.  The lock file is never removed: otherwise two
 * servers could each lock a file of that name.
 */
#include "store/sqlite/disk/lock.h"

#include "common/cleanup.h"
#include "common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

int
lock_take(const char *path, int *ret_fd, char **ret_why)
{
	CLEANUP_FREE char *name = xasprintf("%s.lock", path);
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0) {
		int error = errno;
		*ret_why = xasprintf("cannot open %s: %s", name, strerror(error));
		return -error;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		int error = errno == EWOULDBLOCK ? EBUSY : errno;
		*ret_why = error == EBUSY ? xasprintf("%s is in use by another deferd", path)
					  : xasprintf("cannot lock %s: %s", name, strerror(error));
		close(fd);
		return -error;
	}
	*ret_fd = fd;
	return 0;
}
