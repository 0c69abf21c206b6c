/*
 * The lock on a database.  SQLite's own lock would keep a second server out of the database, but not out of
 * the spool, and not before it has been opened; and POSIX locks do not hold within one process.  The file is
 * never removed: whoever removed it could take a lock on one that another is about to open.
 */
#include "store/lock.h"

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
