/* Retries: how long to wait, and when not to. */
#include "work/upstream/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct retry_config config = {.times = 3, .for_ms = 30000};

static void
backoff_doubles_with_chance_in_it(void **state)
{
	static const int64_t whole[] = {250, 500, 1000};

	for (unsigned tried = 1; tried <= 3; tried++) {
		for (int i = 0; i < 200; i++) {
			int64_t delay = retry_delay_ms(&config, tried, 0, -1);
			assert_in_range(delay, whole[tried - 1] / 2, whole[tried - 1]);
		}
	}
}

static void
backoff_has_an_end(void **state)
{
	struct retry_config many = {.times = 100, .for_ms = INT64_MAX};

	for (unsigned tried = 8; tried <= 100; tried++)
		assert_in_range(retry_delay_ms(&many, tried, 0, -1), 5000, 10000);
}

static void
what_is_asked_for_is_never_cut_short(void **state)
{
	for (int i = 0; i < 200; i++) {
		assert_in_range(retry_delay_ms(&config, 1, 0, 2000), 2000, 2250);
		assert_in_range(retry_delay_ms(&config, 1, 0, 0), 0, 250);
	}
	assert_int_equal(retry_delay_ms(&config, 1, 0, 30001), -1);
	assert_int_equal(retry_delay_ms(&config, 1, 28001, 2000), -1);
}

static void
there_is_an_end(void **state)
{
	struct retry_config none = {0};

	assert_int_equal(retry_delay_ms(&config, 4, 0, -1), -1);
	assert_int_equal(retry_delay_ms(&config, 1, 30000, -1), -1);
	assert_int_equal(retry_delay_ms(&none, 1, 0, 0), -1);
}

/* 2026-11-21 22:00:00 GMT */
#define NOW_MS INT64_C(1795298400000)

static const struct {
	const char *value;
	int64_t wanted;
} cases[] = {
	{"0", 0},
	{"120", 120000},
	{"Sat, 21 Nov 2026 22:00:10 GMT", 10000},
	{"Sat, 21 Nov 2026 21:00:00 GMT", 0},
	{"Sat, 01 Jan 2000 00:00:00 GMT", 0},
	{"-1", -1},
	{"1.5", -1},
	{"soon", -1},
	{"", -1},
	{"99999999999999999999", -1},
	{"Fri, 31 Dec 9999 23:59:59 GMT", -1},
};

static void
retry_after_is_read(void **state)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fields fields = {0};
		fields_put(&fields, "retry-after", cases[i].value);
		assert_int_equal(retry_after_ms(&fields, NOW_MS), cases[i].wanted);
		fields_fini(&fields);
	}
}

static void
no_retry_after(void **state)
{
	struct fields fields = {0};

	assert_int_equal(retry_after_ms(&fields, NOW_MS), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(backoff_doubles_with_chance_in_it),
		cmocka_unit_test(backoff_has_an_end),
		cmocka_unit_test(what_is_asked_for_is_never_cut_short),
		cmocka_unit_test(there_is_an_end),
		cmocka_unit_test(retry_after_is_read),
		cmocka_unit_test(no_retry_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
