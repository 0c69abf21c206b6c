/* The embedded store: lock, database, spool, writer and readers together.  The loop thread only makes the
 * writes. */
#include "store/sqlite/sqlite.h"

#include "store/backend.h"

#include "store/shared/item_cache.h"
#include "store/sqlite/disk/header.h"
#include "store/sqlite/disk/lock.h"
#include "store/sqlite/disk/open.h"
#include "store/sqlite/group.h"
#include "store/sqlite/resources/reader.h"

#include "common/cleanup.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Interval between two tries while the disk refuses. */
#define PAUSE_MS 1000

struct embedded {
	struct store store; /* must be first: see backend.h */
	struct store_config config;
	struct lock lock;
	struct disk disk;
	bool loaded;
	uint64_t last_sequence; /* of the operation loaded or accepted last */
	struct writer *writer;	/* NULL until started; from then on disk belongs to its thread */
	struct readers readers;
};

static struct embedded *
embedded_of(const struct store *store)
{
	return (struct embedded *)(uintptr_t)store;
}

/* The context of one load. */
struct passing {
	struct embedded *embedded;
	store_load_fn fn;
	void *arg;
};

static void
on_load(void *arg, const struct store_operation *operation)
{
	struct passing *passing = arg;
	struct store_operation with_change = *operation;
	struct store_pending pending = {0};

	passing->embedded->last_sequence = operation->sequence;
	if (operation->state <= STORE_RUNNING &&
		changes_find(passing->embedded->disk.changes, operation->sequence, &pending) == 0)
		with_change.pending = &pending;
	passing->fn(passing->arg, &with_change);
	free(pending.collection);
	free(pending.document);
}

static int
embedded_load(struct store *store, store_load_fn fn, void *arg, char **ret_why)
{
	struct embedded *embedded = embedded_of(store);
	struct passing passing = {embedded, fn, arg};

	assert(!embedded->loaded);
	int rc = database_check(embedded->disk.database, ret_why);
	if (rc < 0)
		return rc;
	rc = rows_load(embedded->disk.rows, embedded->disk.spool, on_load, &passing, ret_why);
	if (rc < 0)
		return rc;
	rc = changes_check(embedded->disk.changes, ret_why);
	if (rc < 0)
		return rc;
	rc = spool_sweep(embedded->disk.spool);
	if (rc < 0) {
		*ret_why = xasprintf("cannot tidy up %s.spool: %s", embedded->config.path, strerror(-rc));
		return rc;
	}
	embedded->loaded = true;
	return 0;
}

static int
embedded_start(struct store *store)
{
	struct embedded *embedded = embedded_of(store);
	struct writer_config config = {
		.mailbox = embedded->config.mailbox,
		.on_health = embedded->config.on_health,
		.arg = embedded->config.arg,
		.pause_ms = PAUSE_MS,
		.ops = &disk_ops,
		.target = &embedded->disk,
	};

	assert(embedded->loaded && !embedded->writer);
	return writer_start(&config, &embedded->writer);
}

static void
embedded_write(struct store *store, enum store_verb verb, const struct store_operation *operation,
	store_done_fn done, void *arg)
{
	struct embedded *embedded = embedded_of(store);

	assert(embedded->writer);
	if (verb == STORE_ACCEPT) {
		assert(operation->sequence > embedded->last_sequence && operation->sequence <= INT64_MAX);
		embedded->last_sequence = operation->sequence;
	}
	struct store_write *write = write_new(verb, operation, done, arg);
	write_tell(write, store->items);
	writer_post(embedded->writer, write);
}

static int
embedded_prepare(struct store *store)
{
	struct embedded *embedded = embedded_of(store);

	return readers_open(&embedded->readers, embedded->config.path, embedded->config.mailbox);
}

static void
embedded_read(struct store *store, struct store_read *read)
{
	reader_read(embedded_of(store)->readers.items, read);
}

static void
embedded_judge(struct store *store, struct store_judgement *judgement)
{
	reader_judge(embedded_of(store)->readers.items, judgement);
}

static void
embedded_list(struct store *store, struct store_list *list)
{
	reader_list(embedded_of(store)->readers.lists, list);
}

static int
embedded_spool_fd(const struct store *store)
{
	return spool_fd(embedded_of(store)->disk.spool);
}

static bool
embedded_is_healthy(const struct store *store)
{
	const struct embedded *embedded = embedded_of(store);

	return embedded->writer && writer_is_healthy(embedded->writer);
}

static void
embedded_get_stats(struct store *store, struct store_stats *ret_stats)
{
	const struct embedded *embedded = embedded_of(store);

	*ret_stats = (struct store_stats){0};
	if (!embedded->writer)
		return;
	writer_get_stats(embedded->writer, ret_stats);
	ret_stats->file_bytes = database_file_bytes(embedded->disk.database);
}

static void
embedded_close(struct store *store)
{
	struct embedded *embedded = embedded_of(store);

	readers_close(&embedded->readers);
	if (embedded->writer)
		writer_stop(embedded->writer);
	changes_close(embedded->disk.changes);
	rows_close(embedded->disk.rows);
	database_close(embedded->disk.database);
	spool_close(embedded->disk.spool);
	lock_release(&embedded->lock);
	free((char *)(uintptr_t)embedded->config.path);
	item_cache_unref(embedded->store.items);
	free(embedded);
}

static const char *
embedded_earlier_servers(const struct store *store)
{
	return embedded_of(store)->lock.earlier;
}

static int
embedded_forget_servers(struct store *store)
{
	return lock_forget(&embedded_of(store)->lock);
}

static const struct store_backend embedded_backend = {
	.earlier_servers = embedded_earlier_servers,
	.forget_servers = embedded_forget_servers,
	.load = embedded_load,
	.start = embedded_start,
	.write = embedded_write,
	.prepare = embedded_prepare,
	.read = embedded_read,
	.judge = embedded_judge,
	.list = embedded_list,
	.spool_fd = embedded_spool_fd,
	.is_healthy = embedded_is_healthy,
	.get_stats = embedded_get_stats,
	.close = embedded_close,
};

/* Makes the names of the new files beside the database durable. */
static int
sync_parent(const char *path, char **ret_why)
{
	CLEANUP_FREE char *copy = xstrdup(path);
	const char *parent = dirname(copy);
	CLEANUP_CLOSE int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 && fsync(fd) == 0)
		return 0;
	int error = errno;
	*ret_why = xasprintf("cannot sync the directory %s: %s", parent, strerror(error));
	return -error;
}

/* Refuses to start if the spool has files but the database is missing: the next start would delete those
 * files. */
static int
look_for_orphans(struct embedded *embedded, char **ret_why)
{
	const char *path = embedded->config.path;
	bool exists;
	int rc = header_look(path, &exists, ret_why);

	if (rc < 0 || exists)
		return rc;
	rc = spool_is_empty(embedded->disk.spool);
	if (rc == 0)
		*ret_why = xasprintf("%s is missing or empty, but %s.spool has files: put the database back, "
				     "or remove the files to begin anew",
			path, path);
	else if (rc < 0)
		*ret_why = xasprintf("cannot read %s.spool: %s", path, strerror(-rc));
	return rc == 0 ? -EINVAL : rc < 0 ? rc : 0;
}

static int
open_parts(struct embedded *embedded, char **ret_why)
{
	const char *path = embedded->config.path;
	CLEANUP_FREE char *spool_path = xasprintf("%s.spool", path);
	int rc = lock_take(path, embedded->config.server, &embedded->lock, ret_why);

	if (rc == 0)
		rc = spool_open(spool_path, &embedded->disk.spool, ret_why);
	if (rc == 0)
		rc = look_for_orphans(embedded, ret_why);
	if (rc == 0)
		rc = database_open(path, &embedded->disk.database, ret_why);
	if (rc == 0)
		rc = sync_parent(path, ret_why);
	if (rc < 0)
		return rc;
	const char *what = "operations";
	rc = rows_open(embedded->disk.database, &embedded->disk.rows);
	if (rc == 0) {
		what = "resources";
		rc = changes_open(embedded->disk.database, &embedded->disk.changes);
	}
	if (rc < 0)
		*ret_why = xasprintf("%s has no usable table of %s: %s", path, what,
			database_message(embedded->disk.database));
	return rc;
}

int
store_open_embedded(const struct store_config *config, struct store **ret_store, char **ret_why)
{
	struct embedded *embedded = xcalloc(1, sizeof *embedded);

	embedded->store.backend = &embedded_backend;
	embedded->store.items = item_cache_new(STORE_ITEM_BYTES);
	embedded->config = *config;
	embedded->config.path = xstrdup(config->path);
	embedded->lock.fd = -1;
	int rc = open_parts(embedded, ret_why);
	if (rc < 0) {
		embedded_close(&embedded->store);
		return rc;
	}
	*ret_store = &embedded->store;
	return 0;
}
