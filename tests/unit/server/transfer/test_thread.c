/* Tests of work/transfer_thread.c: with a transfer_multi of their own, that always has more of a body. */
#include "transfer/thread.h"

#include "common/loop/mailbox.h"
#include "tests/unit/common/loop/loop.h"
#include "transfer/multi.h"
#include "transfer/transfer.h"

#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* Whoever is not told by then is told never. */
#define FOR_EVER 1000u

/* What the thread has of it, in place of libcurl's: the thread's until it has ended. */
struct transfer_multi {
	sem_t woken;
	struct transfer_handle *ended; /* to be told of */
	unsigned passes;	       /* that did not wait, for mail to be posted may be held back in them */
	bool has_more;		       /* a wait finds something at once */
};

static struct transfer_multi multi;

int
transfer_multi_new(unsigned most, struct transfer_multi **ret_multi)
{
	transfer_handle_init_library();
	*ret_multi = &multi;
	return 0;
}

void
transfer_multi_free(struct transfer_multi *ours)
{
}

struct transfer_handle *
transfer_multi_take_handle(struct transfer_multi *ours, const struct transfer_peer *peer)
{
	return transfer_handle_new();
}

void
transfer_multi_give_handle(struct transfer_multi *ours, struct transfer_handle *handle)
{
	transfer_handle_free(handle);
}

/* What was added first ends at once; the other one is the body that does not end. */
bool
transfer_multi_add(struct transfer_multi *ours, struct transfer_handle *handle)
{
	if (!ours->has_more)
		ours->ended = handle;
	ours->has_more = true;
	return true;
}

void
transfer_multi_abort(struct transfer_multi *ours, struct transfer_handle *handle)
{
	ours->has_more = false;
}

void
transfer_multi_go_on(struct transfer_multi *ours)
{
}

struct transfer_handle *
transfer_multi_next_ended(struct transfer_multi *ours, CURLcode *ret_code)
{
	struct transfer_handle *handle = ours->ended;

	ours->ended = NULL;
	*ret_code = CURLE_OK;
	return handle;
}

/* A wait that may take long comes once there is nothing (any more) to be posted. */
unsigned
transfer_multi_wait(struct transfer_multi *ours, int64_t most_ms)
{
	if (most_ms > 0) {
		sem_wait(&ours->woken);
		return TRANSFER_SOCKETS_WOKEN;
	}
	if (++ours->passes == FOR_EVER)
		ours->has_more = false;
	return ours->has_more ? TRANSFER_SOCKETS_READY : 0;
}

void
transfer_multi_wake(struct transfer_multi *ours)
{
	sem_post(&ours->woken);
}

bool
transfer_multi_is_stale(const struct transfer_multi *ours)
{
	return false;
}

void
transfer_multi_forget(struct transfer_multi *ours)
{
}

struct one {
	struct transfer transfer;
	_Atomic int stop;
	struct fields fields;
	struct mail mail;
	enum transfer_end end;
	unsigned mails;
};

static const struct transfer_peer peer = {.number = 1, .origin = "http://127.0.0.1:9"};

static void
on_turn(struct transfer *transfer)
{
	struct one *one = container_of(transfer, struct one, transfer);

	transfer->request = (struct transfer_request){
		.peer = &peer, .target = "/", .method = "GET", .fields = &one->fields};
	transfer_start(transfer);
}

static void
on_end(struct transfer *transfer, enum transfer_end end, const char *reason)
{
	struct one *one = container_of(transfer, struct one, transfer);

	one->end = end;
	transfer_finish(transfer->thread, &one->mail);
}

static void
on_mail(struct mail *mail)
{
	container_of(mail, struct one, mail)->mails++;
}

static void
add(struct transfer_thread *thread, struct one *one)
{
	one->transfer.stop = &one->stop;
	one->transfer.on_turn = on_turn;
	one->transfer.on_end = on_end;
	one->mail.deliver = on_mail;
	transfer_thread_add(thread, &one->transfer);
}

/* However much of another's body comes in, who has ended is told so after a few passes. */
static void
mail_is_held_for_a_few_passes(void **state)
{
	struct event_base *base = loop_new();
	struct one quick = {.mails = 0}, endless = {.mails = 0};
	struct transfer_thread *thread = NULL;
	struct mailbox *mailbox = NULL;

	multi = (struct transfer_multi){.passes = 0};
	assert_int_equal(sem_init(&multi.woken, 0, 0), 0);
	assert_int_equal(mailbox_new(base, &mailbox), 0);
	assert_int_equal(transfer_thread_new(mailbox, 1, &thread), 0);
	add(thread, &quick);
	add(thread, &endless);
	transfer_thread_wake(thread);
	while (quick.mails == 0)
		event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(quick.end, TRANSFER_ANSWERED);
	assert_int_equal(endless.mails, 0);
	atomic_store(&endless.stop, 1);
	transfer_stop(thread);
	while (endless.mails == 0)
		event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(endless.end, TRANSFER_CANCELLED);
	transfer_thread_free(thread);
	assert_in_range(multi.passes, 1, 16);
	mailbox_free(mailbox);
	event_base_free(base);
	sem_destroy(&multi.woken);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mail_is_held_for_a_few_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
