/* Tests of common/clock.c. */
#include "common/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void
test_formats(void **state)
{
	static const struct {
		int64_t wall_ms;
		const char *iso8601, *http;
	} cases[] = {
		{0, "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 GMT"},
		{999, "1970-01-01T00:00:00.999Z", "Thu, 01 Jan 1970 00:00:00 GMT"},
		{1000, "1970-01-01T00:00:01.000Z", "Thu, 01 Jan 1970 00:00:01 GMT"},
		{-1, "1969-12-31T23:59:59.999Z", "Wed, 31 Dec 1969 23:59:59 GMT"},
		{-1000, "1969-12-31T23:59:59.000Z", "Wed, 31 Dec 1969 23:59:59 GMT"},
		{784111777000, "1994-11-06T08:49:37.000Z", "Sun, 06 Nov 1994 08:49:37 GMT"},
		{951782400000, "2000-02-29T00:00:00.000Z", "Tue, 29 Feb 2000 00:00:00 GMT"},
		{1795295259123, "2026-11-21T21:07:39.123Z", "Sat, 21 Nov 2026 21:07:39 GMT"},
		{4107542400000, "2100-03-01T00:00:00.000Z", "Mon, 01 Mar 2100 00:00:00 GMT"},
		{253402300799999, "9999-12-31T23:59:59.999Z", "Fri, 31 Dec 9999 23:59:59 GMT"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char iso8601[CLOCK_ISO8601_SIZE], http[CLOCK_HTTP_SIZE];

		clock_format_iso8601(cases[i].wall_ms, iso8601);
		clock_format_http(cases[i].wall_ms, http);
		assert_string_equal(iso8601, cases[i].iso8601);
		assert_string_equal(http, cases[i].http);
	}
}

/* Times that no four digits can tell still give a date of the right form. */
static void
test_far_times(void **state)
{
	static const int64_t times[] = {
		253402300800000, INT64_MAX, INT64_MIN, -62167219200001, -99999999999999999};

	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		char iso8601[CLOCK_ISO8601_SIZE], http[CLOCK_HTTP_SIZE];

		clock_format_iso8601(times[i], iso8601);
		clock_format_http(times[i], http);
		assert_int_equal(strlen(iso8601), CLOCK_ISO8601_SIZE - 1);
		assert_int_equal(strlen(http), CLOCK_HTTP_SIZE - 1);
		assert_int_equal(iso8601[23], 'Z');
		assert_string_equal(http + 25, " GMT");
	}
}

/* The time zone of the process is not that of the formats. */
static void
test_time_zone(void **state)
{
	char text[CLOCK_ISO8601_SIZE];

	setenv("TZ", "Asia/Kathmandu", 1);
	tzset();
	clock_format_iso8601(0, text);
	unsetenv("TZ");
	tzset();
	assert_string_equal(text, "1970-01-01T00:00:00.000Z");
}

static void
test_true_clocks(void **state)
{
	int64_t last_us = clock_mono_us();

	for (int i = 0; i < 100000; i++) {
		int64_t now_us = clock_mono_us();

		assert_true(now_us >= last_us);
		last_us = now_us;
	}
	int64_t before_ms = clock_mono_us() / 1000, now_ms = clock_mono_ms();
	assert_true(now_ms >= before_ms && now_ms <= clock_mono_us() / 1000);
	int64_t difference_ms = clock_wall_ms() / 1000 - (int64_t)time(NULL);
	assert_true(difference_ms >= -1 && difference_ms <= 1);
}

static void
test_hold(void **state)
{
	clock_hold(1234567, -5);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(clock_mono_ms(), 1234567);
		assert_int_equal(clock_mono_us(), 1234567000);
		assert_int_equal(clock_wall_ms(), -5);
	}
	clock_hold(1, 2);
	assert_int_equal(clock_mono_ms(), 1);
	assert_int_equal(clock_wall_ms(), 2);
	clock_release();
	assert_true(clock_wall_ms() > 1000000000000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_far_times),
		cmocka_unit_test(test_time_zone),
		cmocka_unit_test(test_true_clocks),
		cmocka_unit_test(test_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
