/* Circuit breakers: when calls are refused, and who tries again. */
#include "work/upstream/breaker.h"

#include "common/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define PAUSE_MS 1000

static struct breaker breaker;

static int
set_up(void **state)
{
	struct breaker_config config = {.failures = 3, .pause_ms = PAUSE_MS};

	clock_hold(5000, 0);
	breaker_init(&breaker, &config);
	return 0;
}

static int
tear_down(void **state)
{
	breaker_fini(&breaker);
	clock_release();
	return 0;
}

static bool
call(enum breaker_outcome outcome)
{
	bool is_trial;

	if (!breaker_enter(&breaker, &is_trial))
		return false;
	breaker_leave(&breaker, is_trial, outcome);
	return true;
}

static enum breaker_state
state_now(void)
{
	struct breaker_stats stats;

	breaker_get_stats(&breaker, &stats);
	return stats.state;
}

static void
open_it(void)
{
	for (int i = 0; i < 3; i++)
		assert_true(call(BREAKER_FAILURE));
	assert_int_equal(state_now(), BREAKER_OPEN);
}

static void
only_failures_in_a_row_open_it(void **state)
{
	for (int i = 0; i < 5; i++) {
		assert_true(call(BREAKER_FAILURE));
		assert_true(call(BREAKER_FAILURE));
		assert_true(call(BREAKER_SUCCESS));
	}
	assert_int_equal(state_now(), BREAKER_CLOSED);
	open_it();
	assert_false(call(BREAKER_SUCCESS));
}

static void
what_says_nothing_neither_counts_nor_ends_a_row(void **state)
{
	assert_true(call(BREAKER_FAILURE));
	assert_true(call(BREAKER_FAILURE));
	assert_true(call(BREAKER_UNKNOWN));
	assert_int_equal(state_now(), BREAKER_CLOSED);
	assert_true(call(BREAKER_FAILURE));
	assert_int_equal(state_now(), BREAKER_OPEN);
}

static void
one_call_tries_after_the_pause(void **state)
{
	bool is_trial, other;

	open_it();
	clock_hold(5000 + PAUSE_MS - 1, 0);
	assert_false(call(BREAKER_SUCCESS));
	clock_hold(5000 + PAUSE_MS, 0);
	assert_true(breaker_enter(&breaker, &is_trial));
	assert_true(is_trial);
	assert_false(breaker_enter(&breaker, &other));
	breaker_leave(&breaker, is_trial, BREAKER_SUCCESS);
	assert_int_equal(state_now(), BREAKER_CLOSED);
	assert_true(call(BREAKER_FAILURE));
	assert_int_equal(state_now(), BREAKER_CLOSED);
}

static void
a_trial_that_fails_opens_it_again(void **state)
{
	open_it();
	clock_hold(5000 + PAUSE_MS, 0);
	assert_true(call(BREAKER_FAILURE));
	assert_false(call(BREAKER_SUCCESS));
	clock_hold(5000 + 2 * PAUSE_MS, 0);
	assert_true(call(BREAKER_SUCCESS));
	assert_int_equal(state_now(), BREAKER_CLOSED);
}

static void
a_trial_that_says_nothing_lets_the_next_call_try(void **state)
{
	open_it();
	clock_hold(5000 + PAUSE_MS, 0);
	assert_true(call(BREAKER_UNKNOWN));
	assert_true(call(BREAKER_SUCCESS));
	assert_int_equal(state_now(), BREAKER_CLOSED);
}

static void
calls_from_before_it_opened_change_nothing(void **state)
{
	bool is_trial[2];

	assert_true(breaker_enter(&breaker, &is_trial[0]));
	assert_true(breaker_enter(&breaker, &is_trial[1]));
	open_it();
	clock_hold(5000 + PAUSE_MS / 2, 0);
	breaker_leave(&breaker, is_trial[0], BREAKER_FAILURE);
	breaker_leave(&breaker, is_trial[1], BREAKER_SUCCESS);
	assert_int_equal(state_now(), BREAKER_OPEN);
	clock_hold(5000 + PAUSE_MS, 0);
	assert_true(call(BREAKER_SUCCESS));
}

static void
it_counts(void **state)
{
	struct breaker_stats stats;

	open_it();
	assert_false(call(BREAKER_SUCCESS));
	clock_hold(5000 + PAUSE_MS, 0);
	assert_true(call(BREAKER_SUCCESS));
	breaker_get_stats(&breaker, &stats);
	assert_int_equal(stats.calls, 4);
	assert_int_equal(stats.failures, 3);
	assert_int_equal(stats.refused, 1);
	assert_int_equal(stats.opened, 1);
}

static void
without_a_limit_it_never_opens(void **state)
{
	breaker.config.failures = 0;
	for (int i = 0; i < 100; i++)
		assert_true(call(BREAKER_FAILURE));
	assert_int_equal(state_now(), BREAKER_CLOSED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_failures_in_a_row_open_it),
		TEST(what_says_nothing_neither_counts_nor_ends_a_row),
		TEST(one_call_tries_after_the_pause),
		TEST(a_trial_that_fails_opens_it_again),
		TEST(a_trial_that_says_nothing_lets_the_next_call_try),
		TEST(calls_from_before_it_opened_change_nothing),
		TEST(it_counts),
		TEST(without_a_limit_it_never_opens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
