/* Readers: see reader.h.  What has gathered while one batch was read is read in the next, in one transaction. */
#include "store/reader.h"

#include "store/item_cache.h"
#include "store/listing.h"
#include "store/representation.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* A batch is no longer than this, so that the log can be moved to the database now and then. */
#define BATCH_MAX 1000

#define BUSY_MS 2000

static const char sql_read[] =
	"SELECT status, action, version, created_ms, updated_ms, status_message, document"
	" FROM resource WHERE collection = ?1 AND id = ?2 AND parent = ?3";

struct reader {
	struct mailbox *mailbox;
	pthread_t thread;

	pthread_mutex_t lock; /* guards the members down to the blank line */
	pthread_cond_t wake;  /* something was asked, or closing */
	struct list reads, lists;
	bool closing;

	/* the thread's */
	sqlite3 *handle;
	sqlite3_stmt *begin, *end, *read;
};

static void
set_result(struct store_read *read, sqlite3_stmt *statement)
{
	struct text text = {0};
	struct resource resource = {
		.id = read->id,
		.parent = read->parent,
		.status = (enum store_status)sqlite3_column_int(statement, 0),
		.action = (enum store_action)sqlite3_column_int(statement, 1),
		.version = (uint64_t)sqlite3_column_int64(statement, 2),
		.created_ms = sqlite3_column_int64(statement, 3),
		.updated_ms = sqlite3_column_int64(statement, 4),
		.status_message = (const char *)sqlite3_column_text(statement, 5),
		.document = (const char *)sqlite3_column_text(statement, 6),
	};

	representation_add(&text, read->collection, &resource, read->url);
	read->representation = text_take(&text);
	read->document = xstrdup(resource.document);
	read->status = resource.status;
	read->version = resource.version;
}

static void
run_read(struct reader *reader, struct store_read *read)
{
	sqlite3_stmt *statement = reader->read;
	bool has_parent = read->collection->parent;

	sqlite3_bind_text(statement, 1, read->collection->name, -1, SQLITE_STATIC);
	sqlite3_bind_blob(statement, 2, &read->id, sizeof read->id, SQLITE_STATIC);
	sqlite3_bind_blob(statement, 3, &read->parent, has_parent ? sizeof read->parent : 0, SQLITE_STATIC);
	int step = sqlite3_step(statement);
	if (step == SQLITE_ROW)
		set_result(read, statement);
	read->error = step == SQLITE_ROW ? 0 : step == SQLITE_DONE ? -ENOENT : -EIO;
	sqlite3_reset(statement);
}

static void
deliver_read(struct mail *mail)
{
	struct store_read *read = container_of(mail, struct store_read, mail);

	item_cache_end_read(read);
	read->done(read);
}

static void
deliver_list(struct mail *mail)
{
	struct store_list *list = container_of(mail, struct store_list, mail);

	list->done(list);
}

static void
run_batch(struct reader *reader, struct list *reads, struct list *lists)
{
	sqlite3_step(reader->begin);
	sqlite3_reset(reader->begin);
	list_for_each_safe(node, reads) {
		struct store_read *read = container_of(node, struct store_read, link);
		list_remove(node);
		run_read(reader, read);
		read->mail.deliver = deliver_read;
		mailbox_post(reader->mailbox, &read->mail);
	}
	list_for_each_safe(node, lists) {
		struct store_list *list = container_of(node, struct store_list, link);
		list_remove(node);
		listing_run(reader->handle, list);
		list->mail.deliver = deliver_list;
		mailbox_post(reader->mailbox, &list->mail);
	}
	sqlite3_step(reader->end);
	sqlite3_reset(reader->end);
}

/* Takes a batch off the queues, waiting for one; false when there will be no more. */
static bool
take(struct reader *reader, struct list *reads, struct list *lists)
{
	pthread_mutex_lock(&reader->lock);
	while (list_is_empty(&reader->reads) && list_is_empty(&reader->lists) && !reader->closing)
		pthread_cond_wait(&reader->wake, &reader->lock);
	for (int i = 0; i < BATCH_MAX && !list_is_empty(&reader->reads); i++) {
		struct list *first = reader->reads.next;
		list_remove(first);
		list_add_tail(reads, first);
	}
	if (!list_is_empty(&reader->lists)) {
		struct list *first = reader->lists.next;
		list_remove(first);
		list_add_tail(lists, first);
	}
	pthread_mutex_unlock(&reader->lock);
	return !list_is_empty(reads) || !list_is_empty(lists);
}

static void *
run(void *arg)
{
	struct reader *reader = arg;
	struct list reads, lists;

	list_init(&reads);
	list_init(&lists);
	while (take(reader, &reads, &lists))
		run_batch(reader, &reads, &lists);
	return NULL;
}

static int
open_connection(struct reader *reader, const char *path)
{
	static const char settings[] = "PRAGMA cell_size_check = ON;"
				       "PRAGMA query_only = ON; PRAGMA temp_store = MEMORY;"
				       "PRAGMA cache_size = -16384; SELECT count(*) FROM resource_count";
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	int rc = sqlite3_open_v2(path, &reader->handle, flags, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(reader->handle, BUSY_MS);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(reader->handle, settings, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(reader->handle, "BEGIN", -1, &reader->begin, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(reader->handle, "COMMIT", -1, &reader->end, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(reader->handle, sql_read, -1, &reader->read, NULL);
	sqlite3_wal_autocheckpoint(reader->handle, 0);
	return rc == SQLITE_OK ? 0 : (rc & 0xff) == SQLITE_NOMEM ? -ENOMEM : -EIO;
}

/* Signals are for the loop's thread. */
static int
start_thread(struct reader *reader)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(&reader->thread, NULL, run, reader);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc == 0)
		pthread_setname_np(reader->thread, "reader");
	return -rc;
}

static void
free_reader(struct reader *reader)
{
	sqlite3_finalize(reader->begin);
	sqlite3_finalize(reader->end);
	sqlite3_finalize(reader->read);
	int rc = sqlite3_close(reader->handle);
	assert(rc == SQLITE_OK);
	pthread_mutex_destroy(&reader->lock);
	pthread_cond_destroy(&reader->wake);
	free(reader);
}

int
reader_new(const char *path, struct mailbox *mailbox, struct reader **ret_reader)
{
	struct reader *reader = xcalloc(1, sizeof *reader);

	reader->mailbox = mailbox;
	pthread_mutex_init(&reader->lock, NULL);
	pthread_cond_init(&reader->wake, NULL);
	list_init(&reader->reads);
	list_init(&reader->lists);
	int rc = open_connection(reader, path);
	if (rc == 0)
		rc = start_thread(reader);
	if (rc < 0) {
		free_reader(reader);
		return rc;
	}
	*ret_reader = reader;
	return 0;
}

void
reader_free(struct reader *reader)
{
	if (!reader)
		return;
	pthread_mutex_lock(&reader->lock);
	reader->closing = true;
	pthread_mutex_unlock(&reader->lock);
	pthread_cond_signal(&reader->wake);
	int rc = pthread_join(reader->thread, NULL);
	assert(rc == 0);
	free_reader(reader);
}

static void
ask(struct reader *reader, struct list *queue, struct list *link)
{
	pthread_mutex_lock(&reader->lock);
	list_add_tail(queue, link);
	pthread_mutex_unlock(&reader->lock);
	pthread_cond_signal(&reader->wake);
}

void
reader_read(struct reader *reader, struct store_read *read)
{
	ask(reader, &reader->reads, &read->link);
}

void
reader_list(struct reader *reader, struct store_list *list)
{
	ask(reader, &reader->lists, &list->link);
}

int
readers_open(struct readers *readers, const char *path, struct mailbox *mailbox)
{
	int rc = 0;

	if (!readers->of_one)
		rc = reader_new(path, mailbox, &readers->of_one);
	if (rc == 0 && !readers->of_lists)
		rc = reader_new(path, mailbox, &readers->of_lists);
	return rc;
}

void
readers_close(struct readers *readers)
{
	reader_free(readers->of_one);
	reader_free(readers->of_lists);
	*readers = (struct readers){0};
}
