/*
 * The writer.
 *
 * While one group is on its way to the disk the next gathers: under load a sync is shared by many, without it a write waits for
 * nobody.  Two queues: what somebody waits for goes first and in order; expiries and forgettings follow, at most as many at a time.
 * They cannot overtake their own operation's end, for that was handed over before them.
 *
 * When a group fails, it is undone and its writes are tried one by one, so that none fails for another's sake:
 * - an accept that fails alone is refused;
 * - anything else stays at the head of its queue and is tried again after a pause, for ever, because it tells what has happened
 *   already.
 * If the probe fails as well, or something waits to be tried again, accepts are refused at once until both have succeeded.
 *
 * When a sync fails or a page is damaged, nothing more is written until the next start: accepts are refused, all else waits for the
 * end of the process.  Going on with a connection opened anew would have to trust what it reads, and that comes from the very
 * cache whose pages did not reach the disk; a restart copies the whole log and syncs it anew before it answers (database.c).
 * One thing cannot be known then: an accept of the group whose sync failed was refused, but its row may have reached the disk,
 * and the next start finds it.  So may an operation whose client was told that it failed be run, never one lost that was promised.
 */
#include "store/writer.h"

#include "common/clock.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A commit takes no more than this, so that none takes long: writes of each queue, and bytes of their bodies and results. */
#define GROUP_WRITES 512
#define GROUP_BYTES (4 * 1024 * 1024)

/* At least so many expiries and forgettings go with a group, where they wait. */
#define GROUP_HOUSEKEEPING_MIN 64

enum queue {
	QUEUE_URGENT,	    /* accepts, begins, processes, ends */
	QUEUE_HOUSEKEEPING, /* expiries, forgettings */
	QUEUE_COUNT,
};

enum health {
	HEALTHY,
	REFUSING, /* the disk refuses: accepts are refused, the rest is tried again */
	BROKEN,	  /* nothing is written any more */
};

struct writer {
	/* do not change */
	struct writer_config config;
	pthread_t thread;

	/* any thread */
	_Atomic bool healthy;
	pthread_mutex_t lock; /* guards the members down to the blank line */
	pthread_cond_t wake;  /* the queues are no longer empty, or closing */
	struct list queues[QUEUE_COUNT];
	bool closing;
	struct store_stats stats;

	/* the writer's thread */
	struct list taken[QUEUE_COUNT]; /* taken from the queues, not written yet */
	enum health health;
	int refusal;	       /* what refused accepts are told */
	struct timespec again; /* when REFUSING: time of the next try */
	uint64_t finished;     /* writes that have left since the stats were brought up to date */
};

/* What a write that is durable means for the files of its operation. */
static const struct effect {
	bool drops[SPOOL_KIND_COUNT];
	enum spool_kind keeps; /* the kind of the file that it brought */
} effects[STORE_VERB_COUNT] = {
	[STORE_ACCEPT] = {.keeps = SPOOL_BODY},
	[STORE_END] = {.drops = {[SPOOL_BODY] = true}, .keeps = SPOOL_RESULT},
	[STORE_EXPIRE] = {.drops = {[SPOOL_RESULT] = true}},
	[STORE_FORGET] = {.drops = {[SPOOL_BODY] = true, [SPOOL_RESULT] = true}},
};

/* Mail about the health of the store. */
struct report {
	struct mail mail;
	void (*on_health)(void *arg, bool healthy, const char *why);
	void *arg;
	bool healthy;
	char why[320];
};

static struct write *
write_of(struct list *node)
{
	return container_of(node, struct write, link);
}

static enum queue
queue_of(const struct write *write)
{
	return write->verb >= STORE_EXPIRE ? QUEUE_HOUSEKEEPING : QUEUE_URGENT;
}

static void
on_report(struct mail *mail)
{
	struct report *report = container_of(mail, struct report, mail);

	report->on_health(report->arg, report->healthy, report->why);
	free(report);
}

static void
set_health(struct writer *writer, enum health health, const char *why)
{
	bool healthy = health == HEALTHY;

	writer->health = health;
	atomic_store(&writer->healthy, healthy);
	if (!writer->config.on_health)
		return;
	struct report *report = xcalloc(1, sizeof *report);
	report->mail.deliver = on_report;
	report->on_health = writer->config.on_health;
	report->arg = writer->config.arg;
	report->healthy = healthy;
	snprintf(report->why, sizeof report->why, "%s", why);
	mailbox_post(writer->config.mailbox, &report->mail);
}

static bool
is_broken(const struct writer *writer)
{
	return database_is_broken(writer->config.database) || spool_is_broken(writer->config.spool);
}

static void
start_pause(struct writer *writer)
{
	uint64_t ns;

	clock_gettime(CLOCK_MONOTONIC, &writer->again);
	ns = (uint64_t)writer->again.tv_nsec + (uint64_t)writer->config.pause_ms * 1000000;
	writer->again.tv_sec += (time_t)(ns / 1000000000);
	writer->again.tv_nsec = (long)(ns % 1000000000);
}

/* Notes that writing has failed with error; where is for the log. */
static void
note_failure(struct writer *writer, int error, const char *where)
{
	char why[320];

	writer->refusal = error == -ENOSPC ? -ENOSPC : -EIO;
	start_pause(writer);
	if (writer->health == BROKEN)
		return;
	if (is_broken(writer)) {
		writer->refusal = -EIO;
		snprintf(why, sizeof why,
			"%s: %s; what is on disk is not known any more: nothing is accepted or stored "
			"until deferd is started again",
			where,
			database_is_broken(writer->config.database)
				? database_message(writer->config.database)
				: "a file could not be synced");
		set_health(writer, BROKEN, why);
	} else if (writer->health == HEALTHY) {
		snprintf(why, sizeof why, "%s: %s", where, strerror(-error));
		set_health(writer, REFUSING, why);
	}
}

static void
finish(struct writer *writer, struct write *write, int error)
{
	list_remove(&write->link);
	writer->finished++;
	write_complete(write, writer->config.mailbox, error);
}

/* After the commit: what the write means for the files of its operation, then its completion. */
static void
finish_durable(struct writer *writer, struct write *write)
{
	const struct effect *effect = &effects[write->verb];
	uint64_t sequence = write->operation.sequence;

	if (write->error == 0) {
		for (int kind = 0; kind < SPOOL_KIND_COUNT; kind++)
			if (effect->drops[kind])
				spool_drop(writer->config.spool, sequence, (enum spool_kind)kind);
		if (write->file)
			spool_keep(writer->config.spool, sequence, effect->keeps, write->file);
	}
	finish(writer, write, write->error);
}

/* Makes one write part of the transaction.  What is wrong with the write alone is for its completion, and no failure here. */
static int
add_to_transaction(struct writer *writer, struct write *write)
{
	int rc = 0;

	write->error = 0;
	if (!write->settled)
		rc = spool_settle(writer->config.spool, write_blob(write), &write->file);
	if (rc == -ENOENT) {
		write->error = -EIO;
		return 0;
	}
	if (rc < 0)
		return rc;
	write->settled = true;
	rc = rows_write(writer->config.rows, write->verb, &write->operation, write->file);
	if (rc == -ENOENT || rc == -EEXIST) {
		write->error = rc;
		return 0;
	}
	return rc;
}

static int
commit(struct writer *writer, struct list *group)
{
	struct database *database = writer->config.database;
	int rc = database_begin(database);
	bool frees = false;

	list_for_each (node, group) {
		if (rc < 0)
			break;
		rc = add_to_transaction(writer, write_of(node));
		frees |= queue_of(write_of(node)) == QUEUE_HOUSEKEEPING;
	}
	if (rc == 0 && frees)
		rc = database_shrink(database);
	if (rc == 0)
		rc = spool_sync(writer->config.spool);
	if (rc == 0)
		rc = database_commit(database);
	if (rc < 0)
		database_rollback(database);
	return rc;
}

/* Commits a group and completes its writes; leaves them as they were where that fails. */
static int
write_together(struct writer *writer, struct list *group)
{
	int64_t started_us = clock_mono_us();
	int rc = commit(writer, group);

	if (rc < 0)
		return rc;
	pthread_mutex_lock(&writer->lock);
	writer->stats.commits++;
	writer->stats.last_commit_us = clock_mono_us() - started_us;
	pthread_mutex_unlock(&writer->lock);
	list_for_each_safe (node, group)
		finish_durable(writer, write_of(node));
	return 0;
}

static int
write_alone(struct writer *writer, struct write *write)
{
	struct list alone;

	list_init(&alone);
	list_add_tail(&alone, &write->link);
	int rc = write_together(writer, &alone);
	if (rc < 0)
		list_remove(&write->link);
	return rc;
}

/* Whether there is room for a write that may come. */
static bool
probe(struct writer *writer)
{
	int rc = database_probe(writer->config.database);

	if (rc < 0)
		note_failure(writer, rc, "the database cannot be written");
	return rc == 0;
}

/* Writes that could not be written go back to where they came from, in their order. */
static void
put_back(struct writer *writer, struct list *group)
{
	while (!list_is_empty(group)) {
		struct write *last = write_of(group->prev);
		list_remove(&last->link);
		list_add_head(&writer->taken[queue_of(last)], &last->link);
	}
}

/* Decides about a write that failed alone.  Returns whether others may be tried. */
static bool
on_failed_alone(struct writer *writer, struct write *write, int error)
{
	bool is_accept = write->verb == STORE_ACCEPT;

	if (is_accept)
		finish(writer, write, error == -ENOSPC ? -ENOSPC : -EIO);
	if (is_accept && !is_broken(writer))
		return probe(writer);
	note_failure(writer, error, "a write failed");
	return false;
}

/* Returns whether all could be dealt with; the others are then back in their queues. */
static bool
write_one_by_one(struct writer *writer, struct list *group)
{
	struct list blocked;
	bool goes_on = true;

	list_init(&blocked);
	while (!list_is_empty(group)) {
		struct write *write = write_of(group->next);
		bool is_accept = write->verb == STORE_ACCEPT;
		list_remove(&write->link);
		if (goes_on) {
			int rc = write_alone(writer, write);
			if (rc < 0)
				goes_on = on_failed_alone(writer, write, rc);
			if (rc == 0 || is_accept)
				continue;
		} else if (is_accept) {
			finish(writer, write, writer->refusal);
			continue;
		}
		list_add_tail(&blocked, &write->link);
	}
	put_back(writer, &blocked);
	return goes_on;
}

static bool
has_taken(const struct writer *writer)
{
	return !list_is_empty(&writer->taken[QUEUE_URGENT]) ||
	       !list_is_empty(&writer->taken[QUEUE_HOUSEKEEPING]);
}

static void
move_first(struct list *from, struct list *to)
{
	struct list *first = from->next;

	list_remove(first);
	list_add_tail(to, first);
}

static void
gather(struct writer *writer, struct list *group)
{
	struct list *urgent = &writer->taken[QUEUE_URGENT];
	struct list *housekeeping = &writer->taken[QUEUE_HOUSEKEEPING];
	uint64_t bytes = 0;
	int count = 0;

	for (; !list_is_empty(urgent) && count < GROUP_WRITES && bytes < GROUP_BYTES; count++) {
		bytes += blob_len(write_blob(write_of(urgent->next)));
		move_first(urgent, group);
	}
	if (count < GROUP_HOUSEKEEPING_MIN)
		count = GROUP_HOUSEKEEPING_MIN;
	for (; !list_is_empty(housekeeping) && count > 0; count--)
		move_first(housekeeping, group);
}

/* Returns whether everything in the group could be dealt with. */
static bool
write_group(struct writer *writer)
{
	struct list group;

	list_init(&group);
	gather(writer, &group);
	if (write_together(writer, &group) < 0 && !write_one_by_one(writer, &group))
		return false;
	int rc = database_tidy(writer->config.database);
	if (rc < 0)
		note_failure(writer, rc, "the log cannot be moved to the database");
	return rc == 0;
}

static void
try_again(struct writer *writer)
{
	while (has_taken(writer))
		if (!write_group(writer))
			return;
	if (probe(writer))
		set_health(writer, HEALTHY, "");
}

static bool
is_pause_over(const struct writer *writer)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > writer->again.tv_sec ||
	       (now.tv_sec == writer->again.tv_sec && now.tv_nsec >= writer->again.tv_nsec);
}

/* With the lock: waits until there is something to do, or to try again. */
static void
wait_for_work(struct writer *writer)
{
	while (!writer->closing && list_is_empty(&writer->queues[QUEUE_URGENT]) &&
		list_is_empty(&writer->queues[QUEUE_HOUSEKEEPING])) {
		if (writer->health == HEALTHY && has_taken(writer))
			return;
		if (writer->health != REFUSING)
			pthread_cond_wait(&writer->wake, &writer->lock);
		else if (pthread_cond_timedwait(&writer->wake, &writer->lock, &writer->again) == ETIMEDOUT)
			return;
	}
}

/* Adds what was handed over to what is taken; refuses accepts where they are.  Returns whether there will be no more. */
static bool
take(struct writer *writer)
{
	struct list fresh[QUEUE_COUNT];

	pthread_mutex_lock(&writer->lock);
	writer->stats.waiting -= writer->finished;
	writer->stats.writes += writer->finished;
	writer->stats.file_bytes = database_file_bytes(writer->config.database);
	writer->finished = 0;
	wait_for_work(writer);
	for (int i = 0; i < QUEUE_COUNT; i++) {
		list_init(&fresh[i]);
		list_splice(&fresh[i], &writer->queues[i]);
	}
	bool closing = writer->closing;
	pthread_mutex_unlock(&writer->lock);

	list_for_each_safe (node, &fresh[QUEUE_URGENT])
		if (writer->health != HEALTHY && write_of(node)->verb == STORE_ACCEPT)
			finish(writer, write_of(node), writer->refusal);
	for (int i = 0; i < QUEUE_COUNT; i++)
		list_splice(&writer->taken[i], &fresh[i]);
	return closing;
}

static void *
run(void *arg)
{
	struct writer *writer = arg;
	bool closing;

	do {
		closing = take(writer);
		if (writer->health == HEALTHY && has_taken(writer))
			write_group(writer);
		else if (writer->health == REFUSING && (closing || is_pause_over(writer)))
			try_again(writer);
	} while (!closing || (writer->health == HEALTHY && has_taken(writer)));
	for (int i = 0; i < QUEUE_COUNT; i++)
		list_for_each_safe (node, &writer->taken[i])
			finish(writer, write_of(node), -ECANCELED);
	return NULL;
}

/* Signals are for the loop's thread. */
static int
start_thread(struct writer *writer)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(&writer->thread, NULL, run, writer);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc == 0)
		pthread_setname_np(writer->thread, "store");
	return -rc;
}

static void
free_writer(struct writer *writer)
{
	pthread_mutex_destroy(&writer->lock);
	pthread_cond_destroy(&writer->wake);
	free(writer);
}

int
writer_start(const struct writer_config *config, struct writer **ret_writer)
{
	struct writer *writer = xcalloc(1, sizeof *writer);
	pthread_condattr_t attributes;

	writer->config = *config;
	writer->healthy = true;
	for (int i = 0; i < QUEUE_COUNT; i++) {
		list_init(&writer->queues[i]);
		list_init(&writer->taken[i]);
	}
	pthread_mutex_init(&writer->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&writer->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	int rc = start_thread(writer);
	if (rc < 0) {
		free_writer(writer);
		return rc;
	}
	*ret_writer = writer;
	return 0;
}

void
writer_post(struct writer *writer, struct write *write)
{
	pthread_mutex_lock(&writer->lock);
	list_add_tail(&writer->queues[queue_of(write)], &write->link);
	writer->stats.waiting++;
	pthread_mutex_unlock(&writer->lock);
	pthread_cond_signal(&writer->wake);
}

bool
writer_is_healthy(const struct writer *writer)
{
	return atomic_load(&writer->healthy);
}

void
writer_get_stats(struct writer *writer, struct store_stats *ret_stats)
{
	pthread_mutex_lock(&writer->lock);
	*ret_stats = writer->stats;
	pthread_mutex_unlock(&writer->lock);
}

void
writer_stop(struct writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	writer->closing = true;
	pthread_mutex_unlock(&writer->lock);
	pthread_cond_signal(&writer->wake);
	int rc = pthread_join(writer->thread, NULL);
	assert(rc == 0);
	free_writer(writer);
}
