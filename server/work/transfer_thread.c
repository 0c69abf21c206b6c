/*
 * A transfers' thread: see transfer_thread.h.
 *
 * Each pass looks for what is new, lets libcurl go on with all that is under way, and ends what has ended; the mail of one pass is posted
 * together, so that the loop wakes once for all of it.  The loop in turn writes to the eventfd only while the thread sleeps.
 */
#include "work/transfer_thread.h"

#include "common/clock.h"
#include "common/text.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define STACK_BYTES (512 * 1024)

/* The longest sleep without a look around.  Who has nothing to do for so long gives up what was kept for more. */
#define SLEEP_MAX_MS 60000

/* Idle handles that are kept. */
#define HANDLES_KEPT TRANSFERS_PER_THREAD

struct transfer_thread {
	/* fixed */
	struct mailbox *mailbox;
	pthread_t thread;
	unsigned number;
	int wake_fd; /* an eventfd, read by the thread */

	/* the thread's own */
	CURLM *multi;
	struct list sending; /* struct transfer, in multi */
	struct list resting; /* struct transfer */
	struct list handles; /* struct transfer_handle, idle */
	unsigned handle_count;
	struct mail *mail; /* of this pass */
	struct mail **mail_end;

	_Atomic unsigned load; /* transfers that were added and are not finished */

	pthread_mutex_t lock; /* guards what follows */
	struct list inbox;    /* struct transfer, added and not taken yet */
	bool sleeps;	      /* it waits, or is about to, and does not look by itself */
	bool has_stops;	      /* a control has said stop */
	bool is_ending;	      /* nothing will be added any more */
};

/* What the loop has said since the last pass. */
struct news {
	struct list added;
	bool has_stops;
	bool is_ending;
};

static void
give_handle_back(struct transfer_thread *thread, struct transfer_handle *handle)
{
	if (thread->handle_count == HANDLES_KEPT) {
		transfer_handle_free(handle);
		return;
	}
	list_add_head(&thread->handles, &handle->link);
	thread->handle_count++;
}

/* One that was used for the same peer before, if there is one. */
static struct transfer_handle *
take_handle(struct transfer_thread *thread, const struct transfer_peer *peer)
{
	struct transfer_handle *handle = NULL;

	list_for_each(node, &thread->handles) {
		handle = container_of(node, struct transfer_handle, link);
		if (handle->peer == peer->number)
			break;
	}
	if (!handle)
		return transfer_handle_new();
	list_remove(&handle->link);
	thread->handle_count--;
	return handle;
}

/* The exchange is over, and its handle no longer in the multi handle: what it held is free before its owner hears of it, but for what the owner is told. */
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
	give_handle_back(thread, handle);
}

/* Ends what libcurl would go on with; the connection is closed with it. */
static void
abort_transfer(struct transfer *transfer, CURLcode code)
{
	CURL *easy = transfer->handle->easy;

	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	curl_multi_remove_handle(transfer->thread->multi, easy);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 0L);
	end_transfer(transfer, code);
}

void
transfer_start(struct transfer *transfer)
{
	struct transfer_thread *thread = transfer->thread;
	struct transfer_handle *handle = take_handle(thread, transfer->request.peer);

	if (!handle) {
		transfer->on_end(transfer, TRANSFER_FAILED, "libcurl has no handle");
		return;
	}
	int rc = transfer_set_up(transfer, handle);
	if (rc == 0 && curl_multi_add_handle(thread->multi, handle->easy) == CURLM_OK) {
		list_add_tail(&thread->sending, &transfer->link);
		return;
	}
	transfer_clean_up(transfer);
	give_handle_back(thread, handle);
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
	atomic_fetch_sub(&thread->load, 1);
}

static void
post_mail(struct transfer_thread *thread)
{
	mailbox_post_all(thread->mailbox, thread->mail);
	thread->mail = NULL;
	thread->mail_end = &thread->mail;
}

/* Tells the rest of the pass what is new. */
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
	return atomic_load(&transfer->control->stop) != WORK_GOES_ON;
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

/* Ends what takes too long.  How long until one of the others may. */
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
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(thread->multi, &left))) {
		CURLcode code = message->data.result;
		char *private = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		CURL *easy = message->easy_handle;
		curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
		curl_multi_remove_handle(thread->multi, easy);
		end_transfer((struct transfer *)(void *)private, code);
	}
}

/* How long nothing is to be done about what rests. */
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

static void
free_handles(struct transfer_thread *thread)
{
	while (!list_is_empty(&thread->handles)) {
		struct transfer_handle *handle =
			container_of(thread->handles.next, struct transfer_handle, link);
		list_remove(&handle->link);
		transfer_handle_free(handle);
	}
	thread->handle_count = 0;
}

/* Closes the connections that nobody has used for long; libcurl by itself would do so only when it makes the next. */
static void
give_up_kept(struct transfer_thread *thread)
{
	CURLM *multi = thread->handle_count > 0 ? transfer_multi_new(TRANSFERS_PER_THREAD) : NULL;

	if (!multi)
		return;
	free_handles(thread);
	curl_multi_cleanup(thread->multi);
	thread->multi = multi;
}

/* Sleeps for at most that long; libcurl's own times it knows itself. */
static void
sleep_until_woken(struct transfer_thread *thread, int64_t most_ms)
{
	struct curl_waitfd wake = {.fd = thread->wake_fd, .events = CURL_WAIT_POLLIN};
	uint64_t count;
	bool is_quiet, is_idle = list_is_empty(&thread->sending) && list_is_empty(&thread->resting);
	int64_t began_ms = is_idle ? clock_mono_ms() : 0;

	pthread_mutex_lock(&thread->lock);
	is_quiet = list_is_empty(&thread->inbox) && !thread->has_stops &&
		   !(thread->is_ending && atomic_load(&thread->load) == 0);
	thread->sleeps = is_quiet;
	pthread_mutex_unlock(&thread->lock);
	if (!is_quiet)
		return;
	curl_multi_poll(thread->multi, &wake, 1, (int)most_ms, NULL);
	if (wake.revents && read(thread->wake_fd, &count, sizeof count) < 0)
		assert(errno == EAGAIN || errno == EINTR);
	if (is_idle && !wake.revents && clock_mono_ms() - began_ms >= SLEEP_MAX_MS)
		give_up_kept(thread);
}

static void *
thread_main(void *arg)
{
	struct transfer_thread *thread = arg;
	struct news news;
	char name[16];
	int running;

	snprintf(name, sizeof name, "transfer-%u", thread->number % 10000);
	pthread_setname_np(pthread_self(), name);
	for (;;) {
		take_news(thread, &news);
		if (news.is_ending && list_is_empty(&news.added) && atomic_load(&thread->load) == 0)
			return NULL;
		begin_added(&news);
		if (news.has_stops)
			end_stopped(thread);
		wake_rested(thread);
		curl_multi_perform(thread->multi, &running);
		end_ended(thread);
		int64_t due_ms = end_overdue(thread), rest_ms = rest_left_ms(thread);
		post_mail(thread);
		sleep_until_woken(thread, due_ms < rest_ms ? due_ms : rest_ms);
	}
}

/* With all signals but those of faults blocked. */
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
	free_handles(thread);
	if (thread->multi)
		curl_multi_cleanup(thread->multi);
	if (thread->wake_fd >= 0)
		close(thread->wake_fd);
	pthread_mutex_destroy(&thread->lock);
	free(thread);
}

int
transfer_thread_new(struct mailbox *mailbox, unsigned number, struct transfer_thread **ret_thread)
{
	struct transfer_thread *thread = xcalloc(1, sizeof *thread);
	int rc = -ENOMEM;

	thread->mailbox = mailbox;
	thread->number = number;
	thread->mail_end = &thread->mail;
	list_init(&thread->sending);
	list_init(&thread->resting);
	list_init(&thread->handles);
	list_init(&thread->inbox);
	pthread_mutex_init(&thread->lock, NULL);
	thread->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (thread->wake_fd < 0)
		rc = -errno;
	else if ((thread->multi = transfer_multi_new(TRANSFERS_PER_THREAD)))
		rc = make_thread(thread);
	if (rc < 0) {
		free_thread(thread);
		return rc;
	}
	*ret_thread = thread;
	return 0;
}

/* Called with the lock held; whether the eventfd is to be written to. */
static bool
end_sleep(struct transfer_thread *thread)
{
	bool slept = thread->sleeps;

	thread->sleeps = false;
	return slept;
}

static void
write_wake(struct transfer_thread *thread)
{
	uint64_t one = 1;

	/* Fails only while the counter is near its end, and then the descriptor is readable as it is. */
	ssize_t n = write(thread->wake_fd, &one, sizeof one);
	(void)n;
}

void
transfer_thread_free(struct transfer_thread *thread)
{
	pthread_mutex_lock(&thread->lock);
	thread->is_ending = true;
	bool slept = end_sleep(thread);
	pthread_mutex_unlock(&thread->lock);
	if (slept)
		write_wake(thread);
	pthread_join(thread->thread, NULL);
	free_thread(thread);
}

unsigned
transfer_thread_load(const struct transfer_thread *thread)
{
	return atomic_load_explicit(&thread->load, memory_order_relaxed);
}

static void
on_stop(void *arg)
{
	struct transfer_thread *thread = arg;

	pthread_mutex_lock(&thread->lock);
	thread->has_stops = true;
	bool slept = end_sleep(thread);
	pthread_mutex_unlock(&thread->lock);
	if (slept)
		write_wake(thread);
}

void
transfer_thread_add(struct transfer_thread *thread, struct transfer *transfer)
{
	transfer->thread = thread;
	transfer->control->on_stop = on_stop;
	transfer->control->stop_arg = thread;
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
		write_wake(thread);
}
