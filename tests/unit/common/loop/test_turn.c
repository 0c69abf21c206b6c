/* Turns of a loop: how many events they take, that all come to their turn, and how long the longest was. */
#include "common/loop/turn.h"
#include "tests/unit/common/loop/loop.h"

#include "common/clock.h"

#include <event2/event.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

enum { COUNT = 10 * TURN_EVENTS + 5 };

static unsigned calls[COUNT];
static unsigned in_turn;

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	++*(unsigned *)arg;
	in_turn++;
}

/* Events that are there all the time: each turn takes as many as it may, and nobody is passed over. */
static void
test_bounded_and_fair(void **state)
{
	enum { ROUNDS = 20 };
	struct event_base *base = loop_new();
	struct event *events[COUNT];

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
		assert_true(fd >= 0);
		events[i] = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, &calls[i]);
		assert_int_equal(event_add(events[i], NULL), 0);
	}
	for (int turn = 0; turn < ROUNDS * COUNT / TURN_EVENTS; turn++) {
		in_turn = 0;
		assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
		assert_int_equal(in_turn, TURN_EVENTS);
	}
	for (int i = 0; i < COUNT; i++) {
		assert_in_range(calls[i], ROUNDS - 1, ROUNDS + 1);
		close(event_get_fd(events[i]));
		event_free(events[i]);
	}
	event_base_free(base);
}

static void
on_time(evutil_socket_t fd, short what, void *arg)
{
	const int64_t *us = arg;
	int64_t end_us = clock_mono_us() + *us;

	(void)fd;
	(void)what;
	while (clock_mono_us() < end_us)
		;
}

static void
spend(struct event_base *base, int64_t us)
{
	struct timeval now = {0, 0};

	assert_int_equal(event_base_once(base, -1, EV_TIMEOUT, on_time, &us, &now), 0);
	assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
}

static void
test_longest(void **state)
{
	struct event_base *base = loop_new();

	(void)state;
	spend(base, 0);
	turn_take_longest_us();
	assert_int_equal(turn_take_longest_us(), 0);
	spend(base, 20000);
	spend(base, 0); /* a turn has ended when the next begins */
	assert_in_range(turn_take_longest_us(), 20000, 60000000);
	assert_int_equal(turn_take_longest_us(), 0);
	event_base_free(base);
}

/* A loop that waits otherwise, as one with epoll_pwait2 would, is found out. */
static void *
look_at_another_method(void *arg)
{
	struct event_config *config = event_config_new();
	struct event_base *base;

	(void)arg;
	assert_int_equal(event_config_avoid_method(config, "epoll"), 0);
	base = event_base_new_with_config(config);
	assert_non_null(base);
	assert_false(turn_probe(base));
	assert_int_equal(turn_take_longest_us(), -1);
	event_base_free(base);
	event_config_free(config);
	return NULL;
}

static void
test_probe(void **state)
{
	struct event_base *base = loop_new();
	pthread_t thread;

	(void)state;
	assert_true(turn_probe(base));
	assert_true(turn_take_longest_us() >= 0);
	event_base_free(base);
	assert_int_equal(pthread_create(&thread, NULL, look_at_another_method, NULL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounded_and_fair),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_probe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
