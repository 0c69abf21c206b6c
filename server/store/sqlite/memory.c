/*
 * The store that keeps nothing ("state": "memory"): every write completes at the next turn of the loop.
 * Bodies and results that the embedded store would keep in files are files here too; each is deleted with its
 * last reference.  If there are collections, their resources are in a temporary database that has no name and
 * is never synced, and changes go through a writer as in the embedded store.
 */
#include "store/sqlite/memory.h"

#include "store/backend.h"

#include "store/shared/item_cache.h"
#include "store/sqlite/disk/open.h"
#include "store/sqlite/disk/scratch.h"
#include "store/sqlite/group.h"
#include "store/sqlite/resources/reader.h"

#include "common/list.h"
#include "common/log.h"

#include <stdlib.h>

struct memory {
	struct store store; /* must be first: see backend.h */
	struct mailbox *mailbox;
	struct scratch *scratch; /* NULL: no directory could be made, so everything stays in memory */
	uint64_t writes;	 /* number of writes so far */

	/* used only with collections */
	struct disk disk;
	struct writer *writer; /* NULL: there are no collections */
	struct readers readers;
};

/* Interval between two tries while the disk refuses. */
#define PAUSE_MS 1000

/* A completion on its way to the loop. */
struct completion {
	struct mail mail;
	store_done_fn done;
	void *arg;
};

static void
on_mail(struct mail *mail)
{
	struct completion *completion = container_of(mail, struct completion, mail);

	completion->done(completion->arg, 0);
	free(completion);
}

static int
memory_load(struct store *store, store_load_fn fn, void *arg, char **ret_why)
{
	return 0;
}

static int
memory_start(struct store *store)
{
	return 0;
}

static void
memory_write(struct store *store, enum store_verb verb, const struct store_operation *operation,
	store_done_fn done, void *arg)
{
	struct memory *memory = (struct memory *)store;

	memory->writes++;
	if (operation->change) {
		struct store_write *write = write_new(verb, operation, done, arg);
		write_tell(write, store->items);
		writer_post(memory->writer, write);
		return;
	}
	if (!done)
		return;
	struct completion *completion = xcalloc(1, sizeof *completion);
	completion->mail.deliver = on_mail;
	completion->done = done;
	completion->arg = arg;
	mailbox_post(memory->mailbox, &completion->mail);
}

static int
start_writer(struct memory *memory)
{
	struct writer_config config = {
		.mailbox = memory->mailbox, .pause_ms = PAUSE_MS, .ops = &disk_ops, .target = &memory->disk};
	int rc = changes_open(memory->disk.database, &memory->disk.changes);

	return rc < 0 ? rc : writer_start(&config, &memory->writer);
}

static int
memory_prepare(struct store *store)
{
	struct memory *memory = (struct memory *)store;
	char *why = NULL;

	if (memory->writer)
		return 0;
	int rc = database_open_temporary(&memory->disk.database, &why);
	if (rc < 0) {
		log_error("no collections", "why=\"%s\"", why);
		free(why);
		return rc;
	}
	rc = readers_open(&memory->readers, database_path(memory->disk.database), memory->mailbox);
	database_unlink(memory->disk.database);
	return rc < 0 ? rc : start_writer(memory);
}

static void
memory_read(struct store *store, struct store_read *read)
{
	reader_read(((struct memory *)store)->readers.items, read);
}

static void
memory_judge(struct store *store, struct store_judgement *judgement)
{
	reader_judge(((struct memory *)store)->readers.items, judgement);
}

static void
memory_list(struct store *store, struct store_list *list)
{
	reader_list(((struct memory *)store)->readers.lists, list);
}

static int
memory_spool_fd(const struct store *store)
{
	return scratch_fd(((const struct memory *)store)->scratch);
}

static bool
memory_is_healthy(const struct store *store)
{
	return true;
}

static void
memory_get_stats(struct store *store, struct store_stats *ret_stats)
{
	*ret_stats = (struct store_stats){.writes = ((struct memory *)store)->writes};
}

static void
memory_close(struct store *store)
{
	struct memory *memory = (struct memory *)store;

	readers_close(&memory->readers);
	if (memory->writer)
		writer_stop(memory->writer);
	changes_close(memory->disk.changes);
	database_close(memory->disk.database);
	scratch_close(memory->scratch);
	item_cache_unref(memory->store.items);
	free(memory);
}

static const struct store_backend memory_backend = {
	.load = memory_load,
	.start = memory_start,
	.write = memory_write,
	.prepare = memory_prepare,
	.read = memory_read,
	.judge = memory_judge,
	.list = memory_list,
	.spool_fd = memory_spool_fd,
	.is_healthy = memory_is_healthy,
	.get_stats = memory_get_stats,
	.close = memory_close,
};

int
store_open_memory(const struct store_config *config, struct store **ret_store, char **ret_why)
{
	struct memory *memory = xcalloc(1, sizeof *memory);
	char *why = NULL;

	memory->store.backend = &memory_backend;
	memory->store.items = item_cache_new(STORE_ITEM_BYTES);
	memory->mailbox = config->mailbox;
	if (scratch_open(scratch_place(), &memory->scratch, &why) < 0) {
		log_warning("large bodies and results are held in memory", "why=\"%s\"", why);
		free(why);
	}
	*ret_store = &memory->store;
	return 0;
}
