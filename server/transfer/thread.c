/*
 * A thread that runs transfers.
 *
 * Each pass takes new transfers and stops, lets libcurl work on the sockets that are ready, and ends the
 * transfers that are done.  Mail of a few passes that follow without a wait is posted together, so that the
 * loop wakes once for all of it.  The loop wakes the thread only while the thread sleeps.
 */
#include "transfer/thread.h"

#include "common/clock.h"
#include "common/loop/mailbox.h"
#include "common/text.h"
#include "transfer/multi.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STACK_BYTES (512 * 1024)

/* The longest sleep.  A thread without work for so long closes its kept connections and idle handles. */
#define SLEEP_MAX_MS 60000

/* The most mail held back while more comes in, and the most passes that it is held back for. */
#define MAIL_GATHERED 32u
#define PASSES_GATHERED 4u

struct transfer_thread {
	/* fixed */
	struct mailbox *mailbox;
	pthread_t thread;
	unsigned number;

	/* the thread's own */
	struct transfer_multi *multi;
	struct list sending; /* struct transfer, in multi */
	struct list resting; /* struct transfer */
	struct mail *mail;   /* to be posted */
	struct mail **mail_end;
	unsigned mail_count;
	unsigned mail_passes; /* since the last was posted, with mail to be posted */

	_Atomic unsigned load; /* transfers that were added and are not finished */

	pthread_mutex_t lock; /* guards what follows */
	struct list inbox;    /* struct transfer, added and not taken yet */
	bool sleeps;	      /* it waits, or is about to: it has to be woken */
	bool has_stops;	      /* a transfer was stopped */
	bool is_ending;	      /* nothing will be added any more */
};

/* Takes the transfers that are new since the last pass. */
struct news {
	struct list added;
	bool has_stops;
	bool is_ending;
};

/* Ends an exchange whose handle is no longer in the multi handle.  The transfer is cleaned up before on_end,
 * which may start it again; the reason lies in the handle and stays valid. */
static void
end_transfer(struct transfer *transfer, CURLcode code)
{
	struct transfer_thread *thread = transfer->thread;
	struct transfer_handle *handle = transfer->handle;
	enum transfer_end end = transfer_end_of(transfer, code);
	const char *reason = transfer_reason(transfer, code);

	list_remove(&transfer->link);
	transfer_clean_up(transfer);
	transfer->on_end(transfer, end, reason);
	transfer_multi_give_handle(thread->multi, handle);
}

/* Ends an exchange that libcurl is still working on, and closes its connection. */
static void
abort_transfer(struct transfer *transfer, CURLcode code)
{
	transfer_multi_abort(transfer->thread->multi, transfer->handle);
	end_transfer(transfer, code);
}

void
transfer_start(struct transfer *transfer)
{
	struct transfer_thread *thread = transfer->thread;
	struct transfer_handle *handle = transfer_multi_take_handle(thread->multi, transfer->request.peer);

	if (!handle) {
		transfer->on_end(transfer, TRANSFER_FAILED, "libcurl has no handle");
		return;
	}
	int rc = transfer_set_up(transfer, handle);
	if (rc == 0 && transfer_multi_add(thread->multi, handle)) {
		list_add_tail(&thread->sending, &transfer->link);
		return;
	}
	transfer_clean_up(transfer);
	transfer_multi_give_handle(thread->multi, handle);
	transfer->on_end(transfer, TRANSFER_FAILED, rc < 0 ? strerrordesc_np(-rc) : "libcurl takes no more");
}

void
transfer_rest(struct transfer *transfer, int64_t ms)
{
	transfer->due_ms = clock_mono_ms() + ms;
	list_add_tail(&transfer->thread->resting, &transfer->link);
}

void
transfer_finish(struct transfer_thread *thread, struct mail *mail)
{
	mail->next = NULL;
	*thread->mail_end = mail;
	thread->mail_end = &mail->next;
	thread->mail_count++;
	atomic_fetch_sub(&thread->load, 1);
}

static void
post_mail(struct transfer_thread *thread)
{
	mailbox_post_all(thread->mailbox, thread->mail);
	thread->mail = NULL;
	thread->mail_end = &thread->mail;
	thread->mail_count = 0;
	thread->mail_passes = 0;
}

/* Takes what is new for this pass. */
static void
take_news(struct transfer_thread *thread, struct news *ret_news)
{
	list_init(&ret_news->added);
	pthread_mutex_lock(&thread->lock);
	thread->sleeps = false;
	list_splice(&ret_news->added, &thread->inbox);
	ret_news->has_stops = thread->has_stops;
	thread->has_stops = false;
	ret_news->is_ending = thread->is_ending;
	pthread_mutex_unlock(&thread->lock);
}

static bool
is_stopped(const struct transfer *transfer)
{
	return atomic_load(transfer->stop) != 0;
}

static void
begin_added(struct news *news)
{
	while (!list_is_empty(&news->added)) {
		struct transfer *transfer = container_of(news->added.next, struct transfer, link);
		list_remove(&transfer->link);
		transfer->on_turn(transfer);
	}
}

static void
end_stopped(struct transfer_thread *thread)
{
	list_for_each_safe(node, &thread->sending) {
		struct transfer *transfer = container_of(node, struct transfer, link);
		if (is_stopped(transfer))
			abort_transfer(transfer, CURLE_ABORTED_BY_CALLBACK);
	}
}

/* Ends the exchanges that take too long.  Returns how long until the next one might, in milliseconds. */
static int64_t
end_overdue(struct transfer_thread *thread)
{
	int64_t now = clock_mono_ms(), least = SLEEP_MAX_MS;

	list_for_each_safe(node, &thread->sending) {
		struct transfer *transfer = container_of(node, struct transfer, link);
		int64_t left = transfer_left_ms(transfer, now);
		if (left == 0)
			abort_transfer(transfer, CURLE_OPERATION_TIMEDOUT);
		else if (left < least)
			least = left;
	}
	return least;
}

static void
wake_rested(struct transfer_thread *thread)
{
	struct list woken = LIST_INIT(woken);
	int64_t now = list_is_empty(&thread->resting) ? 0 : clock_mono_ms();

	list_for_each_safe(node, &thread->resting) {
		struct transfer *transfer = container_of(node, struct transfer, link);
		if (!is_stopped(transfer) && transfer->due_ms > now)
			continue;
		list_remove(&transfer->link);
		list_add_tail(&woken, &transfer->link);
	}
	while (!list_is_empty(&woken)) {
		struct transfer *transfer = container_of(woken.next, struct transfer, link);
		list_remove(&transfer->link);
		transfer->on_turn(transfer);
	}
}

static void
end_ended(struct transfer_thread *thread)
{
	struct transfer_handle *handle;
	CURLcode code;

	while ((handle = transfer_multi_next_ended(thread->multi, &code)))
		end_transfer(handle->user, code);
}

/* Returns how long until the next resting transfer is due, in milliseconds. */
static int64_t
rest_left_ms(const struct transfer_thread *thread)
{
	int64_t now = list_is_empty(&thread->resting) ? 0 : clock_mono_ms(), least = SLEEP_MAX_MS;

	list_for_each(node, &thread->resting) {
		int64_t left = container_of(node, struct transfer, link)->due_ms - now;
		if (left < least)
			least = left > 0 ? left : 0;
	}
	return least;
}

/* Sleeps for at most most_ms, and lets libcurl work on what has woken the thread.  libcurl alone would close
 * connections that are too old, or closed by the server, only when it opens the next one. */
static void
sleep_until_woken(struct transfer_thread *thread, int64_t most_ms)
{
	bool is_quiet, is_idle = list_is_empty(&thread->sending) && list_is_empty(&thread->resting);
	int64_t began_ms = is_idle ? clock_mono_ms() : 0;

	if (is_idle && transfer_multi_is_stale(thread->multi))
		transfer_multi_forget(thread->multi);
	pthread_mutex_lock(&thread->lock);
	is_quiet = list_is_empty(&thread->inbox) && !thread->has_stops &&
		   !(thread->is_ending && atomic_load(&thread->load) == 0);
	thread->sleeps = is_quiet;
	pthread_mutex_unlock(&thread->lock);
	unsigned what = transfer_multi_wait(thread->multi, is_quiet ? most_ms : 0);
	if (is_idle && is_quiet && !(what & TRANSFER_SOCKETS_WOKEN) &&
		clock_mono_ms() - began_ms >= SLEEP_MAX_MS)
		transfer_multi_forget(thread->multi);
}

/* Whether more has come in while mail waits to be posted: it may end more exchanges, whose mail can be posted
 * together.  While a large body comes in there is always more, so the passes are limited. */
static bool
gathers_more(struct transfer_thread *thread)
{
	return thread->mail_count > 0 && thread->mail_count < MAIL_GATHERED &&
	       thread->mail_passes++ < PASSES_GATHERED && !list_is_empty(&thread->sending) &&
	       transfer_multi_wait(thread->multi, 0) != 0;
}

static void *
thread_main(void *arg)
{
	struct transfer_thread *thread = arg;
	struct news news;
	char name[16];

	snprintf(name, sizeof name, "transfer-%u", thread->number % 10000);
	pthread_setname_np(pthread_self(), name);
	for (;;) {
		take_news(thread, &news);
		if (news.is_ending && list_is_empty(&news.added) && atomic_load(&thread->load) == 0) {
			post_mail(thread);
			return NULL;
		}
		begin_added(&news);
		if (news.has_stops)
			end_stopped(thread);
		wake_rested(thread);
		transfer_multi_go_on(thread->multi);
		end_ended(thread);
		int64_t due_ms = end_overdue(thread), rest_ms = rest_left_ms(thread);
		if (gathers_more(thread))
			continue;
		post_mail(thread);
		sleep_until_woken(thread, due_ms < rest_ms ? due_ms : rest_ms);
	}
}

/* Starts the thread with all signals blocked except those of faults. */
static int
make_thread(struct transfer_thread *thread)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};
	pthread_attr_t attr;
	sigset_t set;
	int rc = pthread_attr_init(&attr);

	if (rc)
		return -rc;
	sigfillset(&set);
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
		sigdelset(&set, faults[i]);
	rc = pthread_attr_setsigmask_np(&attr, &set);
	if (!rc)
		rc = pthread_attr_setstacksize(&attr, STACK_BYTES);
	if (!rc)
		rc = pthread_create(&thread->thread, &attr, thread_main, thread);
	pthread_attr_destroy(&attr);
	return -rc;
}

static void
free_thread(struct transfer_thread *thread)
{
	transfer_multi_free(thread->multi);
	pthread_mutex_destroy(&thread->lock);
	free(thread);
}

int
transfer_thread_new(struct mailbox *mailbox, unsigned number, struct transfer_thread **ret_thread)
{
	struct transfer_thread *thread = xcalloc(1, sizeof *thread);

	thread->mailbox = mailbox;
	thread->number = number;
	thread->mail_end = &thread->mail;
	list_init(&thread->sending);
	list_init(&thread->resting);
	list_init(&thread->inbox);
	pthread_mutex_init(&thread->lock, NULL);
	int rc = transfer_multi_new(TRANSFERS_PER_THREAD, &thread->multi);
	if (rc == 0)
		rc = make_thread(thread);
	if (rc < 0) {
		free_thread(thread);
		return rc;
	}
	*ret_thread = thread;
	return 0;
}

/* Returns whether the thread has to be woken.  Called with the lock held. */
static bool
end_sleep(struct transfer_thread *thread)
{
	bool slept = thread->sleeps;

	thread->sleeps = false;
	return slept;
}

void
transfer_thread_free(struct transfer_thread *thread)
{
	pthread_mutex_lock(&thread->lock);
	thread->is_ending = true;
	bool slept = end_sleep(thread);
	pthread_mutex_unlock(&thread->lock);
	if (slept)
		transfer_multi_wake(thread->multi);
	pthread_join(thread->thread, NULL);
	free_thread(thread);
}

unsigned
transfer_thread_load(const struct transfer_thread *thread)
{
	return atomic_load_explicit(&thread->load, memory_order_relaxed);
}

void
transfer_stop(struct transfer_thread *thread)
{
	pthread_mutex_lock(&thread->lock);
	thread->has_stops = true;
	bool slept = end_sleep(thread);
	pthread_mutex_unlock(&thread->lock);
	if (slept)
		transfer_multi_wake(thread->multi);
}

void
transfer_thread_add(struct transfer_thread *thread, struct transfer *transfer)
{
	transfer->thread = thread;
	atomic_fetch_add(&thread->load, 1);
	pthread_mutex_lock(&thread->lock);
	list_add_tail(&thread->inbox, &transfer->link);
	pthread_mutex_unlock(&thread->lock);
}

void
transfer_thread_wake(struct transfer_thread *thread)
{
	pthread_mutex_lock(&thread->lock);
	bool slept = !list_is_empty(&thread->inbox) && end_sleep(thread);
	pthread_mutex_unlock(&thread->lock);
	if (slept)
		transfer_multi_wake(thread->multi);
}
