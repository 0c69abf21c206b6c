/* The reader threads.  What gathers while one batch is read becomes the next batch, in one transaction. */
#include "store/sqlite/resources/reader.h"

#include "store/shared/item_cache.h"
#include "store/shared/representation.h"
#include "store/sqlite/resources/judge.h"
#include "store/sqlite/resources/listing.h"
#include "store/sqlite/resources/removal.h"

#include "common/cleanup.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* The most reads in a batch, so that no transaction keeps the log from being copied into the database for
 * long. */
#define BATCH_MAX 1000

#define BUSY_MS 2000

struct reader {
	struct mailbox *mailbox;
	pthread_t thread;

	pthread_mutex_t lock; /* guards the members down to the blank line */
	pthread_cond_t wake;  /* signalled when something is handed over, or at close */
	struct list reads, judgements, lists;
	bool closing;

	/* used by the thread alone */
	sqlite3 *handle;
	sqlite3_stmt *begin, *end;
	struct statements statements;
};

static int
set_result(struct store_read *read, sqlite3_stmt *statement)
{
	struct text text = {0};
	struct resource resource = {0};
	int rc = resource_row_look(statement, &resource);

	if (rc < 0)
		return rc;
	representation_add(&text, read->collection, &resource, read->url);
	text_add_char(&text, '\n');
	read->representation = text_take(&text);
	read->document = xstrdup(resource.document);
	read->status = resource.status;
	read->version = resource.version;
	return 0;
}

static int
run_read(struct reader *reader, struct store_read *read)
{
	const struct id *parent = read->collection->parent ? &read->parent : NULL;
	sqlite3_stmt *statement = reader->statements.list[FIND];
	int rc = removal_look(&reader->statements, read->collection, &read->parent);

	if (rc == 0)
		rc = statements_ask(
			&reader->statements, FIND, "tIP", read->collection->name, &read->id, parent);
	if (rc <= 0)
		return rc < 0 ? rc : -ENOENT;
	rc = set_result(read, statement);
	sqlite3_reset(statement);
	return rc;
}

static int
run_judgement(struct reader *reader, const struct store_judgement *judgement)
{
	CLEANUP(resource_row_fini) struct resource_row row = {0};

	return judge_change(&reader->statements, judgement->change, false, &row);
}

static void
deliver_read(struct mail *mail)
{
	struct store_read *read = container_of(mail, struct store_read, mail);

	item_cache_end_read(read);
	read->done(read);
}

static void
deliver_judgement(struct mail *mail)
{
	struct store_judgement *judgement = container_of(mail, struct store_judgement, mail);

	judgement->done(judgement);
}

static void
deliver_list(struct mail *mail)
{
	struct store_list *list = container_of(mail, struct store_list, mail);

	list->done(list);
}

/* The requests taken off the queues. */
struct batch {
	struct list reads, judgements, lists;
	struct mail *answers; /* completions that have not been posted yet */
	struct mail **answers_end;
};

static void
add_answer(struct batch *batch, struct mail *mail, void (*deliver)(struct mail *mail))
{
	mail->deliver = deliver;
	mail->next = NULL;
	*batch->answers_end = mail;
	batch->answers_end = &mail->next;
}

/* Posts all completions at once, which wakes the loop once. */
static void
post_answers(struct reader *reader, struct batch *batch)
{
	mailbox_post_all(reader->mailbox, batch->answers);
	batch->answers = NULL;
	batch->answers_end = &batch->answers;
}

static void
run_batch(struct reader *reader, struct batch *batch)
{
	list_for_each_safe(node, &batch->reads) {
		struct store_read *read = container_of(node, struct store_read, link);
		list_remove(node);
		read->error = run_read(reader, read);
		add_answer(batch, &read->mail, deliver_read);
	}
	list_for_each_safe(node, &batch->judgements) {
		struct store_judgement *judgement = container_of(node, struct store_judgement, link);
		list_remove(node);
		judgement->error = run_judgement(reader, judgement);
		add_answer(batch, &judgement->mail, deliver_judgement);
	}
	post_answers(reader, batch); /* before a list, which may take long */
	list_for_each_safe(node, &batch->lists) {
		struct store_list *list = container_of(node, struct store_list, link);
		list_remove(node);
		list->error = removal_look(&reader->statements, list->collection, &list->parent);
		if (list->error == 0)
			listing_run(reader->handle, list);
		add_answer(batch, &list->mail, deliver_list);
		post_answers(reader, batch);
	}
}

static void
move(struct list *from, struct list *to, int most)
{
	for (; most > 0 && !list_is_empty(from); most--) {
		struct list *first = from->next;
		list_remove(first);
		list_add_tail(to, first);
	}
}

static bool
is_idle(const struct reader *reader)
{
	return list_is_empty(&reader->reads) && list_is_empty(&reader->judgements) &&
	       list_is_empty(&reader->lists);
}

/* Waits for a batch and takes it off the queues; false when no more will come. */
static bool
take(struct reader *reader, struct batch *batch)
{
	pthread_mutex_lock(&reader->lock);
	while (is_idle(reader) && !reader->closing)
		pthread_cond_wait(&reader->wake, &reader->lock);
	move(&reader->reads, &batch->reads, BATCH_MAX);
	move(&reader->judgements, &batch->judgements, BATCH_MAX);
	move(&reader->lists, &batch->lists, 1);
	pthread_mutex_unlock(&reader->lock);
	return !list_is_empty(&batch->reads) || !list_is_empty(&batch->judgements) ||
	       !list_is_empty(&batch->lists);
}

static void *
run(void *arg)
{
	struct reader *reader = arg;
	struct batch batch = {.answers_end = &batch.answers};

	list_init(&batch.reads);
	list_init(&batch.judgements);
	list_init(&batch.lists);
	while (take(reader, &batch)) {
		sqlite3_step(reader->begin);
		sqlite3_reset(reader->begin);
		run_batch(reader, &batch);
		sqlite3_step(reader->end);
		sqlite3_reset(reader->end);
	}
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
	sqlite3_wal_autocheckpoint(reader->handle, 0);
	if (rc == SQLITE_OK)
		return statements_prepare_reads(&reader->statements, reader->handle);
	return (rc & 0xff) == SQLITE_NOMEM ? -ENOMEM : -EIO;
}

/* Blocks all signals in the new thread: the loop thread handles them. */
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
	statements_finalize(&reader->statements);
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
	list_init(&reader->judgements);
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
reader_judge(struct reader *reader, struct store_judgement *judgement)
{
	ask(reader, &reader->judgements, &judgement->link);
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

	if (!readers->items)
		rc = reader_new(path, mailbox, &readers->items);
	if (rc == 0 && !readers->lists)
		rc = reader_new(path, mailbox, &readers->lists);
	return rc;
}

void
readers_close(struct readers *readers)
{
	reader_free(readers->items);
	reader_free(readers->lists);
	*readers = (struct readers){0};
}
