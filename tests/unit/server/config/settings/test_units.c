/* Tests of server/units.c. */
#include "config/settings/units.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

typedef int (*parse_fn)(const char *data, size_t len, uint64_t *ret_value);

struct unit_case {
	const char *text;
	int error;
	uint64_t value;
};

static const struct unit_case times[] = {
	{"30s", 0, 30000},
	{"500ms", 0, 500},
	{"5m", 0, 300000},
	{"1h", 0, 3600000},
	{"7d", 0, 604800000},
	{"0s", 0, 0},
	{"007s", 0, 7000},
	{"18446744073709551615ms", 0, UINT64_MAX},
	{"18446744073709551616ms", -ERANGE, 0},
	{"18446744073709552s", -ERANGE, 0},
	{"99999999999999999999999999999d", -ERANGE, 0},
	{"", -EINVAL, 0},
	{"30", -EINVAL, 0},
	{"s", -EINVAL, 0},
	{"30x", -EINVAL, 0},
	{"30 s", -EINVAL, 0},
	{" 30s", -EINVAL, 0},
	{"30s ", -EINVAL, 0},
	{"30S", -EINVAL, 0},
	{"-30s", -EINVAL, 0},
	{"+30s", -EINVAL, 0},
	{"1.5h", -EINVAL, 0},
	{"1h30m", -EINVAL, 0},
	{"30sec", -EINVAL, 0},
};

static const struct unit_case sizes[] = {
	{"512B", 0, 512},
	{"64KiB", 0, 65536},
	{"8MiB", 0, 8388608},
	{"1GiB", 0, 1073741824},
	{"2TiB", 0, UINT64_C(2199023255552)},
	{"16777215TiB", 0, UINT64_C(16777215) << 40},
	{"16777216TiB", -ERANGE, 0},
	{"64KB", -EINVAL, 0},
	{"64kib", -EINVAL, 0},
	{"64", -EINVAL, 0},
	{"KiB", -EINVAL, 0},
	{"", -EINVAL, 0},
};

static void
check(parse_fn parse, const struct unit_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t value = 4711;
		int error = parse(cases[i].text, strlen(cases[i].text), &value);
		if (error != cases[i].error || value != (error ? 4711 : cases[i].value))
			fail_msg("%s: %d, %llu", cases[i].text, error, (unsigned long long)value);
	}
}

static void
test_times(void **state)
{
	check(units_parse_time, times, sizeof times / sizeof *times);
}

static void
test_sizes(void **state)
{
	check(units_parse_size, sizes, sizeof sizes / sizeof *sizes);
}

/* Bytes beyond len are none of theirs, and a NUL is no end. */
static void
test_length(void **state)
{
	uint64_t value;

	assert_int_equal(units_parse_time("30sx", 3, &value), 0);
	assert_int_equal(value, 30000);
	assert_int_equal(units_parse_time("30s\0x", 5, &value), -EINVAL);
	assert_int_equal(units_parse_time("30s\0", 4, &value), -EINVAL);
}

static void
check_added(void (*add)(struct text *text, uint64_t value), uint64_t value, const char *expected)
{
	struct text text = {0};

	add(&text, value);
	assert_string_equal(text.data, expected);
	text_fini(&text);
}

static void
test_formats(void **state)
{
	check_added(units_add_time, 0, "0s");
	check_added(units_add_time, 1, "1ms");
	check_added(units_add_time, 1500, "1500ms");
	check_added(units_add_time, 5400000, "90m");
	check_added(units_add_time, 604800000, "7d");
	check_added(units_add_size, 0, "0B");
	check_added(units_add_size, 1023, "1023B");
	check_added(units_add_size, 1536, "1536B");
	check_added(units_add_size, 65536, "64KiB");
	check_added(units_add_size, UINT64_C(64) << 30, "64GiB");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_formats),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
