/*
 * Makes and removes scratch directories.
 *
 * A server holds a lock on its directory for as long as it lives, so a directory without a lock belongs to no
 * server.  A new directory is unlocked for a moment and another server may sweep it away, so its maker checks
 * afterwards that it still exists.
 */
#include "store/sqlite/disk/scratch.h"

#include "store/sqlite/disk/spool.h"

#include "common/cleanup.h"
#include "common/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_PREFIX "deferd-scratch-"
#define NAME_UNIQUE "XXXXXX"

/* How often a directory is made again after another server has swept it away. */
#define TRIES 10

struct scratch {
	char *path;
	struct spool *spool; /* its descriptor holds the lock */
};

const char *
scratch_place(void)
{
	const char *place = getenv("TMPDIR");

	if (place && place[0] == '/')
		return place;
	return access("/var/tmp", W_OK | X_OK) == 0 ? "/var/tmp" : P_tmpdir;
}

/* Opens and locks a scratch directory: -EWOULDBLOCK if a server uses it, -ENOENT if it has been removed
 * meanwhile, -EPERM if it belongs to another user. */
static int
take_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct stat status;
	int error = 0;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &status) < 0)
		error = errno;
	else if (status.st_nlink == 0)
		error = ENOENT;
	else if (status.st_uid != geteuid())
		error = EPERM;
	if (error == 0)
		return fd;
	close(fd);
	return -error;
}

/* Removes the directory with its files, and closes spool. */
static void
remove_directory(const char *path, struct spool *spool)
{
	if (spool_sweep(spool) == 0)
		(void)rmdir(path);
	spool_close(spool);
}

static int
is_scratch(const struct dirent *entry)
{
	return strncmp(entry->d_name, NAME_PREFIX, strlen(NAME_PREFIX)) == 0 &&
	       strlen(entry->d_name) == strlen(NAME_PREFIX NAME_UNIQUE);
}

static void
remove_left(const char *place)
{
	struct dirent **entries;
	int count = scandir(place, &entries, is_scratch, NULL);

	if (count < 0)
		return;
	for (int i = 0; i < count; i++) {
		CLEANUP_FREE char *path = xasprintf("%s/%s", place, entries[i]->d_name);
		int fd = take_directory(path);
		if (fd >= 0)
			remove_directory(path, spool_new(fd));
		free(entries[i]);
	}
	free(entries);
}

/* Makes a directory and locks it.  Returns its descriptor, or -errno. */
static int
make_directory(const char *place, char **ret_path)
{
	int rc = -EWOULDBLOCK;

	for (int i = 0; i < TRIES && (rc == -EWOULDBLOCK || rc == -ENOENT); i++) {
		char *path = xasprintf("%s/" NAME_PREFIX NAME_UNIQUE, place);
		bool is_made = mkdtemp(path) != NULL;
		rc = is_made ? take_directory(path) : -errno;
		if (rc >= 0) {
			*ret_path = path;
			return rc;
		}
		free(path);
		if (!is_made)
			return rc;
	}
	return rc;
}

int
scratch_open(const char *place, struct scratch **ret_scratch, char **ret_why)
{
	char *path = NULL;

	remove_left(place);
	int fd = make_directory(place, &path);
	if (fd < 0) {
		*ret_why = xasprintf("cannot make a directory in %s: %s", place, strerror(-fd));
		return fd;
	}
	struct scratch *scratch = xcalloc(1, sizeof *scratch);
	scratch->path = path;
	scratch->spool = spool_new(fd);
	*ret_scratch = scratch;
	return 0;
}

int
scratch_fd(const struct scratch *scratch)
{
	return scratch ? spool_fd(scratch->spool) : -1;
}

void
scratch_close(struct scratch *scratch)
{
	if (!scratch)
		return;
	remove_directory(scratch->path, scratch->spool);
	free(scratch->path);
	free(scratch);
}
