/* Slowing of failed log-ins. */
#include "http/login/throttle.h"

#include "common/clock.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void
fail_times(struct throttle *throttle, const char *address, int times)
{
	for (int i = 0; i < times; i++)
		throttle_add_failure(throttle, address);
}

static void
test_some_are_free(void **state)
{
	struct throttle *throttle = throttle_new();

	clock_hold(1000, 0);
	assert_int_equal(throttle_take_turn(throttle, "192.0.2.1"), 0);
	fail_times(throttle, "192.0.2.1", THROTTLE_FREE_FAILURES);
	for (int i = 0; i < 100; i++)
		assert_int_equal(throttle_take_turn(throttle, "192.0.2.1"), 0);
	throttle_add_failure(throttle, "192.0.2.1");
	assert_int_equal(throttle_take_turn(throttle, "192.0.2.1"), THROTTLE_FIRST_MS);
	assert_int_equal(throttle_take_turn(throttle, "192.0.2.1"), 2 * THROTTLE_FIRST_MS);
	assert_int_equal(throttle_take_turn(throttle, "192.0.2.2"), 0);
	assert_int_equal(throttle_take_turn(throttle, ""), 0);
	clock_release();
	throttle_free(throttle);
	throttle_free(NULL);
}

/* However many come, turns are at most as far apart, and who would wait too long is told so. */
static void
test_turns(void **state)
{
	struct throttle *throttle = throttle_new();
	int64_t last_ms = 0, wait_ms;

	clock_hold(1000, 0);
	fail_times(throttle, "192.0.2.1", 1000);
	assert_int_equal(throttle_take_turn(throttle, "192.0.2.1"), THROTTLE_INTERVAL_MS);
	while ((wait_ms = throttle_take_turn(throttle, "192.0.2.1")) >= 0) {
		assert_true(wait_ms > last_ms && wait_ms <= THROTTLE_WAIT_MS);
		last_ms = wait_ms;
	}
	assert_int_equal(wait_ms, -EAGAIN);
	assert_int_equal(last_ms, THROTTLE_WAIT_MS);
	clock_hold(1000 + THROTTLE_INTERVAL_MS, 0);
	assert_int_equal(throttle_take_turn(throttle, "192.0.2.1"), THROTTLE_WAIT_MS);
	clock_hold(1000 + THROTTLE_FORGET_MS, 0);
	assert_int_equal(throttle_take_turn(throttle, "192.0.2.1"), 0);
	clock_release();
	throttle_free(throttle);
}

static void
test_networks(void **state)
{
	static const struct {
		const char *address;
		bool same; /* as 2001:db8:1:2::1 */
	} cases[] = {
		{"2001:db8:1:2::1", true},
		{"2001:db8:1:2:ffff:1:2:3", true},
		{"2001:db8:1:3::1", false},
		{"32.1.13.184", false},
		{"", false},
	};
	struct throttle *throttle = throttle_new();

	clock_hold(1000, 0);
	fail_times(throttle, "2001:db8:1:2::1", 10);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(throttle_take_turn(throttle, cases[i].address) > 0, cases[i].same);
	clock_release();
	throttle_free(throttle);
}

/* The address that failed longest ago is forgotten; one that goes on failing is not. */
static void
test_bound(void **state)
{
	struct throttle *throttle = throttle_new();
	char address[32];

	clock_hold(1000, 0);
	fail_times(throttle, "192.0.2.1", 10);
	fail_times(throttle, "192.0.2.2", 10);
	for (int i = 0; i < THROTTLE_ADDRESSES_MAX - 1; i++) {
		snprintf(address, sizeof address, "10.0.%d.%d", i / 256, i % 256);
		throttle_add_failure(throttle, address);
		throttle_add_failure(throttle, "192.0.2.1");
	}
	assert_true(throttle_take_turn(throttle, "192.0.2.1") > 0);
	assert_int_equal(throttle_take_turn(throttle, "192.0.2.2"), 0);
	clock_release();
	throttle_free(throttle);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_some_are_free),
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_bound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
