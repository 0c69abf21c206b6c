/* A maximum over the last minutes: how long a value counts, and that reading does not change it. */
#include "watch/peak.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MINUTE PEAK_WINDOW_MS

static void
is_read_by_many(void **state)
{
	struct peak peak = {0};

	(void)state;
	assert_int_equal(peak_get(&peak, 5 * MINUTE), 0);
	peak_add(&peak, 5 * MINUTE, 7);
	peak_add(&peak, 5 * MINUTE + 1, 3);
	for (int reader = 0; reader < 3; reader++)
		assert_int_equal(peak_get(&peak, 5 * MINUTE + 2), 7);
}

static void
counts_for_a_minute_at_least(void **state)
{
	struct peak peak = {0};

	(void)state;
	peak_add(&peak, 6 * MINUTE - 1, 7);
	peak_add(&peak, 6 * MINUTE, 3);
	assert_int_equal(peak_get(&peak, 7 * MINUTE - 1), 7);
	assert_int_equal(peak_get(&peak, 7 * MINUTE), 3);
	assert_int_equal(peak_get(&peak, 8 * MINUTE), 0);
}

static void
forgets_what_is_long_past(void **state)
{
	struct peak peak = {0};

	(void)state;
	peak_add(&peak, 6 * MINUTE, 7);
	assert_int_equal(peak_get(&peak, 60 * MINUTE), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_read_by_many),
		cmocka_unit_test(counts_for_a_minute_at_least),
		cmocka_unit_test(forgets_what_is_long_past),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
