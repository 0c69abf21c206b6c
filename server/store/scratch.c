/*
 * Scratch: see scratch.h.
 *
 * A server holds a lock on its directory as long as it lives, so one without a lock belongs to nobody.  That
 * is so for a moment also of one that is being made: who makes it looks afterwards whether it is still there.
 */
#include "store/scratch.h"

#include "store/spool.h"

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

/* How often one is made anew that another server took for a left one. */
#define TRIES 10

struct scratch {
	char *path;
	struct spool *spool; /* with the lock */
};

const char *
scratch_place(void)
{
	const char *place = getenv("TMPDIR");

	if (place && place[0] == '/')
		return place;
	return access("/var/tmp", W_OK | X_OK) == 0 ? "/var/tmp" : P_tmpdir;
}

/* Opens and locks a directory of ours: -EWOULDBLOCK if a server has it, -ENOENT if it has gone meanwhile,
 * -EPERM if it is another user's. */
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

/* Removes the directory, which goes to its end, with its files. */
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

/* Makes one and locks it: its descriptor, or -errno. */
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
