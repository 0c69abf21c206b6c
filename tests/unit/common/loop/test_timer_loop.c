/* Tests of common/timer.c in a loop, on the true clock. */
#include "common/loop/timer.h"
#include "tests/unit/common/loop/loop.h"

#include "common/clock.h"
#include "common/text.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define ALL 1000000 /* a budget that is never reached */

static struct timers *timers;
static unsigned fired; /* by all timers */
static struct event_base *base;
static struct event *always_ready; /* a descriptor that can be read at any time */
static unsigned ready_count;	   /* how often the loop said so */
static int pipe_fds[2];

static void
on_ready(evutil_socket_t fd, short what, void *arg)
{
	ready_count++;
}

static int
setup_loop(void **state)
{
	base = loop_new();
	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(write(pipe_fds[1], "x", 1), 1);
	always_ready = event_new(base, pipe_fds[0], EV_READ | EV_PERSIST, on_ready, NULL);
	ready_count = 0;
	fired = 0;
	return timers_new(base, &timers);
}

static int
teardown_loop(void **state)
{
	timers_free(timers);
	timers = NULL;
	event_free(always_ready);
	event_base_free(base);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	return 0;
}

struct timed {
	struct timer timer;
	int64_t not_before_us;
	unsigned fired;
	bool again; /* starts itself again when it fires */
};

static void
on_timed(struct timer *timer)
{
	struct timed *timed = container_of(timer, struct timed, timer);

	assert_true(clock_mono_us() >= timed->not_before_us);
	timed->fired++;
	fired++;
	if (timed->again)
		timer_start(timers, timer, 0);
}

static void
start_timed(struct timed *timed, int64_t after_ms)
{
	timed->not_before_us = clock_mono_us() + after_ms * 1000;
	timer_start(timers, &timed->timer, after_ms);
}

/* Timers started in any order wake the loop, none early. */
static void
test_loop(void **state)
{
	static const int64_t times[] = {9, 0, 3, 1, 20, 2, 2, 15, 64, 65};
	enum { COUNT = sizeof times / sizeof *times };
	struct timed timed[COUNT] = {0};

	for (size_t i = 0; i < COUNT; i++) {
		timer_init(&timed[i].timer, on_timed);
		start_timed(&timed[i], times[i]);
	}
	while (fired < COUNT)
		assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
	for (size_t i = 0; i < COUNT; i++)
		assert_int_equal(timed[i].fired, 1);
}

/* A timer that was to come first and was stopped or moved does not hold back the others. */
static void
test_loop_stop(void **state)
{
	struct timed first = {0}, second = {0};

	timer_init(&first.timer, on_timed);
	timer_init(&second.timer, on_timed);
	start_timed(&first, 1);
	start_timed(&second, 8);
	timer_stop(&first.timer);
	while (!second.fired)
		assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
	start_timed(&second, 1000000);
	start_timed(&second, 3);
	start_timed(&first, 1000000);
	while (second.fired < 2)
		assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
	timer_stop(&first.timer);
}

/* Wherever in a millisecond a timer is started, and however closely the clock is watched, it is not early. */
static void
test_never_early(void **state)
{
	struct timed timed = {0};

	timer_init(&timed.timer, on_timed);
	for (unsigned i = 1; i <= 20; i++) {
		start_timed(&timed, 1 + i % 2);
		while (timed.fired < i)
			timers_advance(timers, clock_mono_ms(), ALL);
		for (int64_t until_us = clock_mono_us() + 57 * i % 1000; clock_mono_us() < until_us;)
			;
	}
}

/* However many timers are due, and however often one starts itself again, descriptors have their turn. */
static void
test_loop_is_shared(void **state)
{
	enum { COUNT = 5000 };
	struct timed *timed = xcalloc(COUNT, sizeof *timed);
	struct timed forever = {.again = true};
	int64_t until_ms;

	event_add(always_ready, NULL);
	timer_init(&forever.timer, on_timed);
	start_timed(&forever, 0);
	for (size_t i = 0; i < COUNT; i++) {
		timer_init(&timed[i].timer, on_timed);
		start_timed(&timed[i], 1);
	}
	until_ms = clock_mono_ms() + 2;
	while (clock_mono_ms() < until_ms)
		;
	ready_count = 0;
	while (fired - forever.fired < COUNT)
		assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
	assert_true(ready_count >= COUNT / 256);
	assert_true(forever.fired > 1);
	timer_stop(&forever.timer);
	free(timed);
}

/* Under a held clock the loop fires nothing, until the clock is put forward. */
static void
test_loop_clock_held(void **state)
{
	struct timed timed = {0};

	clock_hold(clock_mono_ms(), 0);
	timer_init(&timed.timer, on_timed);
	start_timed(&timed, 60000);
	assert_int_equal(event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK), 0);
	assert_int_equal(fired, 0);
	clock_hold(clock_mono_ms() + 59999, 0);
	assert_false(timers_advance(timers, clock_mono_ms(), ALL));
	assert_int_equal(fired, 0);
	clock_hold(clock_mono_ms() + 1, 0);
	assert_false(timers_advance(timers, clock_mono_ms(), ALL));
	assert_int_equal(fired, 1);
	clock_release();
}

#define IN_LOOP(test) cmocka_unit_test_setup_teardown(test, setup_loop, teardown_loop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_LOOP(test_loop),
		IN_LOOP(test_loop_stop),
		IN_LOOP(test_never_early),
		IN_LOOP(test_loop_is_shared),
		IN_LOOP(test_loop_clock_held),
	};

	alarm(120);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
