/*
 * The lock on a database.  SQLite's own lock would protect the database only once it is open, and never the
 * spool; and POSIX locks do not work within one process.  The lock file is never removed: otherwise two
 * servers could each lock a file of that name.
 *
 * The lines in it have to outlast the process, not the machine, so they are not synced.  They are overwritten in
 * place by one write, which leaves the old lines or the new ones, and needs no room once the file has any.
 */
#include "store/sqlite/disk/lock.h"

#include "common/cleanup.h"
#include "common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* The most bytes of lines.  Servers that ended during their start, one after the other, leave a line each; the
 * oldest are then dropped. */
#define LINES_MAX ((size_t)4096)

static int
open_locked(const char *name, const char *path, char **ret_why)
{
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
	return fd;
}

/* Reads the last whole lines for which there is room. */
static int
read_lines(int fd, size_t room, char **ret_lines)
{
	char buffer[LINES_MAX + 1];
	ssize_t len = pread(fd, buffer, LINES_MAX, 0);

	if (len < 0)
		return -errno;
	buffer[len] = '\0';
	char *lines = buffer;
	while (strlen(lines) > room) {
		char *end = strchr(lines, '\n');
		lines = end ? end + 1 : lines + strlen(lines);
	}
	*ret_lines = xstrdup(lines);
	return 0;
}

static int
write_lines(int fd, const char *earlier, const char *server)
{
	CLEANUP_FREE char *lines = xasprintf("%s%s", earlier, server);
	size_t len = strlen(lines);
	ssize_t written = pwrite(fd, lines, len, 0);

	if (written < 0)
		return -errno;
	if ((size_t)written < len)
		return -ENOSPC;
	return ftruncate(fd, (off_t)len) < 0 ? -errno : 0;
}

int
lock_take(const char *path, const char *server, struct lock *lock, char **ret_why)
{
	CLEANUP_FREE char *name = xasprintf("%s.lock", path);
	int fd = open_locked(name, path, ret_why);

	if (fd < 0)
		return fd;
	struct lock taken = {.fd = fd, .server = server ? xasprintf("%s\n", server) : xstrdup("")};
	int rc = read_lines(fd, LINES_MAX - strlen(taken.server), &taken.earlier);
	if (rc == 0)
		rc = write_lines(fd, taken.earlier, taken.server);
	if (rc < 0) {
		*ret_why = xasprintf("cannot write %s: %s", name, strerror(-rc));
		lock_release(&taken);
		return rc;
	}
	*lock = taken;
	return 0;
}

int
lock_forget(struct lock *lock)
{
	*lock->earlier = '\0';
	return write_lines(lock->fd, "", lock->server);
}

void
lock_release(struct lock *lock)
{
	if (lock->fd >= 0)
		close(lock->fd);
	free(lock->server);
	free(lock->earlier);
	*lock = (struct lock){.fd = -1};
}
