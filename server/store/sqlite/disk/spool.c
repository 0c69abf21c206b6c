/*
 * The spool: a table of the kept files.  A file is found by its operation when it is dropped, and by its name
 * when the directory is swept.  The table holds a reference, which a drop releases, so that a file lives on
 * while it is still being read.
 */
#include "store/sqlite/disk/spool.h"

#include "common/cleanup.h"
#include "common/hash.h"
#include "common/list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct spool {
	int dir_fd;
	bool dirty;  /* there are new names that have not been synced */
	bool broken; /* see spool_is_broken */

	/* a struct kept for every file that a row names */
	struct hash by_key;
	struct hash by_name;
};

/* The owner of a file. */
struct key {
	uint64_t sequence;
	uint64_t kind;
};

struct kept {
	struct hash_node by_key;
	struct hash_node by_name;
	struct key key;
	struct blob *file;
};

static int
open_directory(const char *path)
{
	int fd;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

struct spool *
spool_new(int dir_fd)
{
	struct spool *spool = xcalloc(1, sizeof *spool);

	spool->dir_fd = dir_fd;
	hash_init(&spool->by_key);
	hash_init(&spool->by_name);
	return spool;
}

int
spool_open(const char *path, struct spool **ret_spool, char **ret_why)
{
	int fd = open_directory(path);

	if (fd < 0) {
		*ret_why = xasprintf("cannot open the directory %s: %s", path, strerror(-fd));
		return fd;
	}
	*ret_spool = spool_new(fd);
	return 0;
}

static void
remove_kept(struct spool *spool, struct kept *kept)
{
	hash_remove(&spool->by_key, &kept->by_key);
	hash_remove(&spool->by_name, &kept->by_name);
	blob_unref(kept->file);
	free(kept);
}

static void
on_close_kept(struct hash_node *node, void *arg)
{
	remove_kept(arg, container_of(node, struct kept, by_key));
}

void
spool_close(struct spool *spool)
{
	if (!spool)
		return;
	hash_each(&spool->by_key, on_close_kept, spool);
	hash_fini(&spool->by_key);
	hash_fini(&spool->by_name);
	close(spool->dir_fd);
	free(spool);
}

int
spool_fd(const struct spool *spool)
{
	return spool->dir_fd;
}

bool
spool_is_broken(const struct spool *spool)
{
	return spool->broken;
}

/* Syncs a file that is already in the directory, after checking its length. */
static int
sync_file(struct spool *spool, struct blob *file)
{
	CLEANUP_CLOSE int fd = blob_open(file);
	struct stat status;

	if (fd < 0)
		return fd;
	if (fstat(fd, &status) < 0)
		return -errno;
	if ((uint64_t)status.st_size != blob_len(file))
		return -ENOENT;
	if (fsync(fd) < 0) {
		spool->broken = true;
		return -EIO;
	}
	spool->dirty = true;
	return 0;
}

static int
write_file(struct spool *spool, struct blob *blob, struct blob **ret_file)
{
	struct blob_sink sink;

	blob_sink_init(&sink, spool->dir_fd, UINT64_MAX);
	int rc = blob_sink_write(&sink, blob_data(blob), blob_len(blob));
	if (rc == 0)
		rc = blob_sink_finish(&sink, ret_file);
	if (rc < 0)
		blob_sink_fini(&sink);
	return rc;
}

int
spool_settle(struct spool *spool, struct blob *blob, struct blob **ret_file)
{
	struct blob *file = NULL;
	int rc = 0;

	if (blob_is_file(blob))
		file = blob_ref(blob);
	else if (blob_len(blob) > BLOB_SPILL_BYTES)
		rc = write_file(spool, blob, &file);
	/* Not -ENOENT: the directory is gone, but blob still has the bytes. */
	if (rc == -ENOENT)
		rc = -EIO;
	if (rc == 0 && file)
		rc = sync_file(spool, file);
	if (rc < 0) {
		blob_unref(file);
		return rc;
	}
	*ret_file = file;
	return 0;
}

int
spool_sync(struct spool *spool)
{
	if (!spool->dirty)
		return 0;
	if (fsync(spool->dir_fd) < 0) {
		spool->broken = true;
		return -EIO;
	}
	spool->dirty = false;
	return 0;
}

static uint64_t
hash_key(const struct spool *spool, const struct key *key)
{
	return hash_bytes(&spool->by_key, key, sizeof *key);
}

static uint64_t
hash_name(const struct spool *spool, const char *name)
{
	return hash_bytes(&spool->by_name, name, strlen(name));
}

static struct kept *
find_name(const struct spool *spool, const char *name)
{
	struct hash_node *node = hash_find(&spool->by_name, hash_name(spool, name));

	for (; node; node = hash_find_next(node)) {
		struct kept *kept = container_of(node, struct kept, by_name);
		if (strcmp(blob_name(kept->file), name) == 0)
			return kept;
	}
	return NULL;
}

static struct kept *
find_key(const struct spool *spool, const struct key *key)
{
	struct hash_node *node = hash_find(&spool->by_key, hash_key(spool, key));

	for (; node; node = hash_find_next(node)) {
		struct kept *kept = container_of(node, struct kept, by_key);
		if (kept->key.sequence == key->sequence && kept->key.kind == key->kind)
			return kept;
	}
	return NULL;
}

static void
add_kept(struct spool *spool, const struct key *key, struct blob *file)
{
	struct kept *kept = xcalloc(1, sizeof *kept);

	kept->key = *key;
	kept->file = file;
	hash_add(&spool->by_key, &kept->by_key, hash_key(spool, key));
	hash_add(&spool->by_name, &kept->by_name, hash_name(spool, blob_name(file)));
}

void
spool_keep(struct spool *spool, uint64_t sequence, enum spool_kind kind, struct blob *file)
{
	struct key key = {sequence, kind};
	char name[BLOB_NAME_SIZE];

	strcpy(name, blob_name(file));
	blob_keep(file, name);
	add_kept(spool, &key, blob_ref(file));
}

void
spool_drop(struct spool *spool, uint64_t sequence, enum spool_kind kind)
{
	struct key key = {sequence, kind};
	struct kept *kept = spool->by_key.count > 0 ? find_key(spool, &key) : NULL;

	if (!kept)
		return;
	blob_drop_file(kept->file);
	remove_kept(spool, kept);
}

static bool
is_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < BLOB_NAME_SIZE && name[0] != '.' && !strchr(name, '/');
}

int
spool_adopt(struct spool *spool, uint64_t sequence, enum spool_kind kind, const char *name, uint64_t len,
	struct blob **ret_file)
{
	struct key key = {sequence, kind};
	struct stat status;

	if (!is_name(name) || find_name(spool, name))
		return -EINVAL;
	if (fstatat(spool->dir_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode) || (uint64_t)status.st_size != len)
		return -EINVAL;
	*ret_file = blob_new_file(spool->dir_fd, name, len, false);
	add_kept(spool, &key, *ret_file);
	return 0;
}

/* Calls fn for every name in the directory until it returns non-zero; returns that value. */
static int
each_name(struct spool *spool, int (*fn)(struct spool *spool, const char *name))
{
	int fd = openat(spool->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int rc = 0;

	if (!directory) {
		int error = errno;
		if (fd >= 0)
			close(fd);
		return -error;
	}
	errno = 0;
	while (rc == 0 && (entry = readdir(directory))) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			rc = fn(spool, entry->d_name);
		errno = 0;
	}
	if (rc == 0 && errno != 0)
		rc = -errno;
	closedir(directory);
	return rc;
}

static int
on_any_name(struct spool *spool, const char *name)
{
	return 1;
}

int
spool_is_empty(struct spool *spool)
{
	int rc = each_name(spool, on_any_name);

	return rc < 0 ? rc : rc == 0;
}

/* Skips directories: the spool makes none. */
static int
on_sweep_name(struct spool *spool, const char *name)
{
	if (find_name(spool, name) || unlinkat(spool->dir_fd, name, 0) == 0)
		return 0;
	return errno == EISDIR || errno == ENOENT ? 0 : -errno;
}

int
spool_sweep(struct spool *spool)
{
	return each_name(spool, on_sweep_name);
}
