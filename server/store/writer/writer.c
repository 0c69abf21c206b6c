/*
 * How the writer groups writes, and what it does when a group fails.
 *
 * While one group is on its way to the disk, the next one gathers.  So under load many writes share a sync,
 * and without load a write waits for no other.  Writes made in one turn of the loop arrive together
 * (gathering.h) and complete together, so that groups do not fall apart.  There are two queues.  The urgent
 * one holds writes that something waits for; it goes first and in order.  The other one holds expiries and
 * forgettings; they follow, a limited number at a time, and never overtake a write that was handed over
 * before them.  Dependents of deleted resources are removed in steps between two groups.
 *
 * When a group fails, it is rolled back and its writes are retried one by one, so that none fails because of
 * another.  An accept or a begin that fails alone is refused: what it announces need not happen.  Any other
 * write stays at the head of its queue and is retried after a pause, for ever, because it reports something
 * that has already happened.  If the probe fails too, or while a write waits to be retried, accepts and
 * begins are refused at once until both have succeeded.
 *
 * When a sync fails or a page is damaged, nothing more is written until the next start: accepts and begins
 * are refused, and all other writes wait for the end of the process.  A new connection would be no help: it
 * would read from the same page cache, whose pages did not reach the disk.  A restart with SQLite copies the
 * whole log and syncs it again before it answers (database.c).  One thing stays unknown: an accept in the
 * group whose sync failed was refused, but its row may have reached the disk, and then the next start finds
 * it.  An operation whose client got a 503 may therefore still run after a restart, but a promised one is
 * never lost.
 */
#include "store/writer/writer.h"

#include "store/writer/gathering.h"
#include "store/writer/health.h"

#include "common/clock.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

/* Limits of a group, so that no commit takes long: writes of each queue, and bytes of their bodies and
 * results. */
#define GROUP_WRITES 512
#define GROUP_BYTES (4 * 1024 * 1024)

/* A group has room for at least this many expiries and forgettings. */
#define GROUP_HOUSEKEEPING_MIN 64

enum queue {
	QUEUE_URGENT,	    /* accepts, begins, processes, ends, changes */
	QUEUE_HOUSEKEEPING, /* expiries, forgettings */
	QUEUE_COUNT,
};

struct writer {
	/* constant */
	struct mailbox *mailbox;
	pthread_t thread;

	/* loop thread */
	struct gathering gathering; /* not yet handed over */

	/* any thread */
	pthread_mutex_t lock; /* guards the members down to the blank line */
	pthread_cond_t wake;  /* signalled when a queue is no longer empty, or at close */
	struct list queues[QUEUE_COUNT];
	bool closing;
	uint64_t serial; /* of the last write that was handed over */
	struct store_stats stats;

	/* the writer thread */
	struct list taken[QUEUE_COUNT]; /* taken from the queues, not yet written */
	const struct writer_ops *ops;
	void *target;
	struct health health;
	uint64_t finished;  /* completed writes that stats does not count yet */
	struct mail *ended; /* completions that have not been posted yet */
	struct mail **ended_end;
};

static enum queue
queue_of(const struct store_write *write)
{
	return write->verb >= STORE_EXPIRE ? QUEUE_HOUSEKEEPING : QUEUE_URGENT;
}

/* Whether the write may be refused, because what it announces need not happen. */
static bool
is_refusable(const struct store_write *write)
{
	return write->verb == STORE_ACCEPT || write->verb == STORE_BEGIN || write->verb == STORE_CHANGE ||
	       write->verb == STORE_INDEX || write->verb == STORE_ATTACH;
}

/* Posts all completions at once, which wakes the loop once. */
static void
tell_loop(struct writer *writer)
{
	mailbox_post_all(writer->mailbox, writer->ended);
	writer->ended = NULL;
	writer->ended_end = &writer->ended;
}

/* Records a failure; what names the attempt, for the log. */
static void
note_failure(struct writer *writer, int error, const char *what)
{
	tell_loop(writer);
	health_fail(&writer->health, error, what, writer->ops->why_broken(writer->target));
}

static void
finish(struct writer *writer, struct store_write *write, int error)
{
	list_remove(&write->link);
	writer->finished++;
	struct mail *mail = write_complete(write, error);
	if (!mail)
		return;
	*writer->ended_end = mail;
	writer->ended_end = &mail->next;
}

/* Commits a group and completes its writes.  If that fails, the writes are unchanged. */
static int
write_together(struct writer *writer, struct list *group)
{
	int64_t started_us = clock_mono_us();
	int rc = writer->ops->write(writer->target, group);

	if (rc < 0)
		return rc;
	pthread_mutex_lock(&writer->lock);
	writer->stats.commits++;
	histogram_add(&writer->stats.commit_times, clock_mono_us() - started_us);
	pthread_mutex_unlock(&writer->lock);
	list_for_each_safe(node, group)
		finish(writer, write_of(node), write_of(node)->error);
	tell_loop(writer);
	return 0;
}

static int
write_alone(struct writer *writer, struct store_write *write)
{
	struct list alone;

	list_init(&alone);
	list_add_tail(&alone, &write->link);
	int rc = write_together(writer, &alone);
	if (rc < 0)
		list_remove(&write->link);
	return rc;
}

/* Whether the disk has room for another write. */
static bool
probe(struct writer *writer)
{
	int rc = writer->ops->probe(writer->target);

	if (rc < 0)
		note_failure(writer, rc, "the database cannot be written");
	return rc == 0;
}

/* Puts failed writes back at the heads of their queues, in order. */
static void
put_back(struct writer *writer, struct list *group)
{
	while (!list_is_empty(group)) {
		struct store_write *last = write_of(group->prev);
		list_remove(&last->link);
		list_add_head(&writer->taken[queue_of(last)], &last->link);
	}
}

/* Handles a write that failed alone.  Returns whether other writes may be tried. */
static bool
on_failed_alone(struct writer *writer, struct store_write *write, int error)
{
	bool refusable = is_refusable(write);

	if (refusable)
		finish(writer, write, health_refusal_of(error));
	if (refusable && !writer->ops->why_broken(writer->target))
		return probe(writer);
	note_failure(writer, error, "a write failed");
	return false;
}

/* Retries the writes of a group that failed with error.  Returns true if every one was written or refused;
 * otherwise the rest are back in their queues. */
static bool
write_one_by_one(struct writer *writer, struct list *group, int error)
{
	struct list blocked;
	bool goes_on = !writer->ops->why_broken(writer->target);

	if (!goes_on)
		note_failure(writer, error, "a write failed");
	list_init(&blocked);
	while (!list_is_empty(group)) {
		struct store_write *write = write_of(group->next);
		bool refusable = is_refusable(write);
		list_remove(&write->link);
		if (goes_on) {
			int rc = write_alone(writer, write);
			if (rc < 0)
				goes_on = on_failed_alone(writer, write, rc);
			if (rc == 0 || refusable)
				continue;
		} else if (refusable) {
			finish(writer, write, writer->health.refusal);
			continue;
		}
		list_add_tail(&blocked, &write->link);
	}
	put_back(writer, &blocked);
	return goes_on;
}

static bool
is_removing(const struct writer *writer)
{
	return writer->ops->is_removing(writer->target);
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
	uint64_t before = list_is_empty(urgent) ? UINT64_MAX : write_of(urgent->next)->serial;
	for (; !list_is_empty(housekeeping) && count > 0; count--) {
		if (write_of(housekeeping->next)->serial > before)
			break;
		move_first(housekeeping, group);
	}
}

/* Returns whether every write of the group was written or refused. */
static bool
write_group(struct writer *writer)
{
	struct list group;

	list_init(&group);
	gather(writer, &group);
	int rc = write_together(writer, &group);
	if (rc < 0 && !write_one_by_one(writer, &group, rc))
		return false;
	rc = writer->ops->tidy(writer->target);
	if (rc < 0)
		note_failure(writer, rc, "the log cannot be moved to the database");
	return rc == 0;
}

/* One step of removal, between two groups, so that no write waits for more than one step. */
static void
remove_some(struct writer *writer)
{
	int rc = writer->ops->remove_some(writer->target);

	if (rc == 0)
		rc = writer->ops->tidy(writer->target);
	if (rc < 0)
		note_failure(writer, rc, "resources cannot be removed");
}

static void
try_again(struct writer *writer)
{
	while (has_taken(writer))
		if (!write_group(writer))
			return;
	tell_loop(writer);
	if (probe(writer))
		health_recover(&writer->health);
}

/* With the lock held: waits until there is something to do or to retry. */
static void
wait_for_work(struct writer *writer)
{
	while (!writer->closing && list_is_empty(&writer->queues[QUEUE_URGENT]) &&
		list_is_empty(&writer->queues[QUEUE_HOUSEKEEPING])) {
		if (writer->health.state == HEALTH_GOOD && (has_taken(writer) || is_removing(writer)))
			return;
		if (writer->health.state != HEALTH_REFUSING)
			pthread_cond_wait(&writer->wake, &writer->lock);
		else if (pthread_cond_timedwait(&writer->wake, &writer->lock, &writer->health.again) ==
			 ETIMEDOUT)
			return;
	}
}

/* Takes the writes that were handed over, or refuses those that must be refused.  Returns whether no more
 * will come. */
static bool
take(struct writer *writer)
{
	struct list fresh[QUEUE_COUNT];

	tell_loop(writer);
	pthread_mutex_lock(&writer->lock);
	writer->stats.waiting -= writer->finished;
	writer->stats.writes += writer->finished;
	writer->finished = 0;
	wait_for_work(writer);
	for (int i = 0; i < QUEUE_COUNT; i++) {
		list_init(&fresh[i]);
		list_splice(&fresh[i], &writer->queues[i]);
	}
	bool closing = writer->closing;
	pthread_mutex_unlock(&writer->lock);

	list_for_each_safe(node, &fresh[QUEUE_URGENT])
		if (writer->health.state != HEALTH_GOOD && is_refusable(write_of(node)))
			finish(writer, write_of(node), writer->health.refusal);
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
		if (writer->health.state == HEALTH_GOOD && has_taken(writer))
			write_group(writer);
		else if (writer->health.state == HEALTH_REFUSING &&
			 (closing || health_is_pause_over(&writer->health)))
			try_again(writer);
		if (writer->health.state == HEALTH_GOOD && !closing && is_removing(writer))
			remove_some(writer);
	} while (!closing || (writer->health.state == HEALTH_GOOD && has_taken(writer)));
	for (int i = 0; i < QUEUE_COUNT; i++)
		list_for_each_safe(node, &writer->taken[i])
			finish(writer, write_of(node), -ECANCELED);
	tell_loop(writer);
	return NULL;
}

static void
hand_over(void *arg, struct list *writes)
{
	struct writer *writer = arg;

	pthread_mutex_lock(&writer->lock);
	list_for_each_safe(node, writes) {
		struct store_write *write = write_of(node);
		list_remove(node);
		write->serial = ++writer->serial;
		list_add_tail(&writer->queues[queue_of(write)], node);
		writer->stats.waiting++;
	}
	pthread_mutex_unlock(&writer->lock);
	pthread_cond_signal(&writer->wake);
}

/* Blocks all signals in the new thread: the loop thread handles them. */
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

	writer->mailbox = config->mailbox;
	writer->ended_end = &writer->ended;
	gathering_init(&writer->gathering, config->mailbox, hand_over, writer);
	writer->ops = config->ops;
	writer->target = config->target;
	writer->health.mailbox = config->mailbox;
	writer->health.on_health = config->on_health;
	writer->health.arg = config->arg;
	writer->health.pause_ms = config->pause_ms;
	health_start(&writer->health);
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
writer_post(struct writer *writer, struct store_write *write)
{
	gathering_add(&writer->gathering, write);
}

bool
writer_is_healthy(const struct writer *writer)
{
	return atomic_load(&writer->health.good);
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
	gathering_end(&writer->gathering);
	pthread_mutex_lock(&writer->lock);
	writer->closing = true;
	pthread_mutex_unlock(&writer->lock);
	pthread_cond_signal(&writer->wake);
	int rc = pthread_join(writer->thread, NULL);
	assert(rc == 0);
	free_writer(writer);
}
