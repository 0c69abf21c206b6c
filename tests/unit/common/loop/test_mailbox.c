/* Tests of common/mailbox.c. */
#include "common/loop/mailbox.h"
#include "tests/unit/common/loop/loop.h"

#include "common/list.h"
#include "common/text.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#define PER_PASS 256 /* as the mailbox has it */

struct letter {
	struct mail mail;
	unsigned sender;
	unsigned number;
	unsigned answers; /* how many more its delivery posts */
};

static struct event_base *base;
static struct mailbox *mailbox;
static unsigned delivered;
static unsigned next_of[8]; /* by sender: the number that comes next */

static void post(unsigned sender, unsigned number, unsigned answers);

static void
on_deliver(struct mail *mail)
{
	struct letter *letter = container_of(mail, struct letter, mail);

	delivered++;
	assert_int_equal(letter->number, next_of[letter->sender]++);
	if (letter->answers > 0)
		post(letter->sender, letter->number + 1, letter->answers - 1);
	free(letter);
}

static void
post(unsigned sender, unsigned number, unsigned answers)
{
	struct letter *letter = xcalloc(1, sizeof *letter);

	letter->mail.deliver = on_deliver;
	letter->sender = sender;
	letter->number = number;
	letter->answers = answers;
	mailbox_post(mailbox, &letter->mail);
}

static void
post_many(unsigned sender, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		post(sender, i, 0);
}

static int
setup(void **state)
{
	base = loop_new();
	delivered = 0;
	memset(next_of, 0, sizeof next_of);
	return mailbox_new(base, &mailbox);
}

static int
teardown(void **state)
{
	mailbox_free(mailbox);
	mailbox = NULL;
	event_base_free(base);
	return 0;
}

/* One pass of the loop, which does not wait; answers how many were delivered in it. */
static unsigned
pass(void)
{
	unsigned before = delivered;

	assert_int_equal(event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK), 0);
	return delivered - before;
}

static void
test_order(void **state)
{
	assert_int_equal(pass(), 0);
	post_many(0, 0, 3);
	assert_int_equal(delivered, 0);
	assert_int_equal(pass(), 3);
	assert_int_equal(pass(), 0);
	post_many(0, 3, 100);
	assert_int_equal(pass(), 97);
	assert_int_equal(pass(), 0);
}

static void
test_bounded_pass(void **state)
{
	post_many(0, 0, 3 * PER_PASS + 5);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pass(), PER_PASS);
	assert_int_equal(pass(), 5);
	assert_int_equal(pass(), 0);
}

/* Mail that is posted while older mail waits is delivered without any more being posted, whatever the numbers
 * are. */
static void
test_post_between_passes(void **state)
{
	static const unsigned firsts[] = {1, PER_PASS - 1, PER_PASS, PER_PASS + 1, 2 * PER_PASS - 1,
		2 * PER_PASS, 2 * PER_PASS + 1, 3 * PER_PASS};

	for (size_t i = 0; i < sizeof firsts / sizeof *firsts; i++) {
		unsigned more = PER_PASS + 3, first = firsts[i];

		next_of[0] = delivered = 0;
		post_many(0, 0, first);
		assert_int_equal(pass(), first < PER_PASS ? first : PER_PASS);
		post_many(0, first, first + more);
		while (delivered < first + more)
			assert_true(pass() > 0);
		assert_int_equal(pass(), 0);
	}
}

static void
test_post_in_delivery(void **state)
{
	post(0, 0, 10);
	post(1, 0, 3);
	while (delivered < 15)
		assert_true(pass() > 0);
	assert_int_equal(pass(), 0);
}

static void
test_drain(void **state)
{
	mailbox_drain(mailbox);
	post_many(0, 0, 2 * PER_PASS + 1);
	assert_int_equal(pass(), PER_PASS);
	post(1, 0, 1000);
	mailbox_drain(mailbox);
	assert_int_equal(delivered, 2 * PER_PASS + 1 + 1001);
	assert_int_equal(pass(), 0);
	post(2, 0, 0);
	assert_int_equal(pass(), 1);
}

static void
test_free_delivers(void **state)
{
	post_many(0, 0, PER_PASS + 10);
	post(1, 0, 20);
	assert_int_equal(pass(), PER_PASS);
	mailbox_free(mailbox);
	mailbox = NULL;
	assert_int_equal(delivered, PER_PASS + 10 + 21);
	mailbox_free(NULL);
}

static unsigned turn[4]; /* what came, in order */
static unsigned turns;

static void
on_mail_of_turn(struct mail *mail)
{
	turn[turns++] = 1;
}

static void
on_deferred(struct mail *mail)
{
	turn[turns++] = 2;
}

static void
on_event_of_turn(evutil_socket_t fd, short what, void *arg)
{
	static struct mail mail = {.deliver = on_deferred};

	turn[turns++] = 3;
	if (arg)
		mailbox_defer(mailbox, &mail);
}

/* What is deferred comes behind all that the loop has at hand, in the same turn. */
static void
test_defer(void **state)
{
	struct mail mail = {.deliver = on_mail_of_turn};
	static const unsigned wanted[] = {3, 3, 2, 1};
	struct event *first = event_new(base, -1, 0, on_event_of_turn, &mail);
	struct event *second = event_new(base, -1, 0, on_event_of_turn, NULL);

	turns = 0;
	event_active(first, EV_TIMEOUT, 0);
	event_active(second, EV_TIMEOUT, 0);
	assert_int_equal(event_base_loop(base, EVLOOP_NONBLOCK), 0);
	assert_int_equal(turns, 3);
	mailbox_post(mailbox, &mail);
	assert_int_equal(event_base_loop(base, EVLOOP_NONBLOCK), 0);
	assert_int_equal(turns, 4);
	assert_memory_equal(turn, wanted, sizeof wanted);
	event_free(first);
	event_free(second);
}

/* The loop need not turn any more for it. */
static void
test_defer_and_drain(void **state)
{
	struct mail mail = {.deliver = on_deferred};

	turns = 0;
	mailbox_defer(mailbox, &mail);
	mailbox_drain(mailbox);
	assert_int_equal(turns, 1);
	mailbox_defer(mailbox, &mail);
	mailbox_free(mailbox);
	mailbox = NULL;
	assert_int_equal(turns, 2);
}

static int readable;

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	readable++;
}

/* A delivery that always posts the next cannot keep the loop from its descriptors. */
static void
test_loop_is_shared(void **state)
{
	struct event *event;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	event = event_new(base, fds[0], EV_READ | EV_PERSIST, on_readable, NULL);
	event_add(event, NULL);
	readable = 0;
	post(0, 0, 10 * PER_PASS);
	while (delivered < 10 * PER_PASS)
		assert_true(pass() <= PER_PASS);
	assert_in_range(readable, 10, 10 * PER_PASS);
	event_free(event);
	close(fds[0]);
	close(fds[1]);
}

enum { SENDERS = 4, LETTERS = 20000 };

static void *
send_all(void *arg)
{
	unsigned sender = *(unsigned *)arg;

	post_many(sender, 0, LETTERS);
	return NULL;
}

/* Nothing is lost, and each sender's mail comes in its order. */
static void
test_threads(void **state)
{
	unsigned senders[SENDERS];
	pthread_t threads[SENDERS];

	for (unsigned i = 0; i < SENDERS; i++) {
		senders[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, send_all, &senders[i]), 0);
	}
	/* Once the threads have nothing more to post only the mailbox itself can end this wait. */
	while (delivered < SENDERS * LETTERS)
		assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
	for (unsigned i = 0; i < SENDERS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(next_of[i], LETTERS);
	}
}

static pthread_barrier_t barrier;

static void *
send_one_by_one(void *arg)
{
	for (unsigned i = 0; i < 2000; i++) {
		pthread_barrier_wait(&barrier);
		post(0, i, 0);
	}
	return NULL;
}

/* A loop that sleeps is woken by each single letter. */
static void
test_wakes_sleeper(void **state)
{
	pthread_t thread;

	pthread_barrier_init(&barrier, NULL, 2);
	assert_int_equal(pthread_create(&thread, NULL, send_one_by_one, NULL), 0);
	for (unsigned i = 0; i < 2000; i++) {
		pthread_barrier_wait(&barrier);
		while (delivered <= i)
			assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
	}
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&barrier);
}

static void
test_no_descriptors(void **state)
{
	struct mailbox *other = mailbox;
	struct rlimit old, none;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = (struct rlimit){0, old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(mailbox_new(base, &other), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_ptr_equal(other, mailbox);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_order),
		TEST(test_bounded_pass),
		TEST(test_post_between_passes),
		TEST(test_post_in_delivery),
		TEST(test_drain),
		TEST(test_free_delivers),
		TEST(test_defer),
		TEST(test_defer_and_drain),
		TEST(test_loop_is_shared),
		TEST(test_threads),
		TEST(test_wakes_sleeper),
		TEST(test_no_descriptors),
	};

	alarm(120); /* mail that is lost lets a test wait for ever */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
