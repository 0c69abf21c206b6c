/* Tests of the formats of common/text.c: each is compared with what printf makes of it. */
#include "common/text.h"

#include <limits.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Adds behind "was " and compares with what printf makes of the same. */
__attribute__((format(printf, 1, 2))) static void
check(const char *format, ...)
{
	struct text text = {0};
	char expected[512] = "was ";
	va_list args;

	va_start(args, format);
	int len = vsnprintf(expected + 4, sizeof expected - 4, format, args);
	va_end(args);
	assert_in_range(len, 0, sizeof expected - 5);
	text_add_string(&text, "was ");
	va_start(args, format);
	text_addv(&text, format, args);
	va_end(args);
	assert_int_equal(text.len, 4 + (size_t)len);
	assert_memory_equal(text.data, expected, text.len + 1);
	text_fini(&text);
}

static void
test_strings(void **state)
{
	const char unended[3] = {'a', 'b', 'c'};

	check("%s", "");
	check("plain, with nothing to fill in");
	check("%s%s-%s", "one", "", "two");
	check("<%.*s>", 2, "abc");
	check("<%.*s>", 3, unended);
	check("<%.*s>", 9, "abc");
	check("<%.*s>", 0, "abc");
	check("<%.*s>", -1, "abc");
	check("<%5s|%-5s|%.2s>", "abc", "abc", "abc");
}

static void
test_numbers(void **state)
{
	static const long long numbers[] = {
		0, 1, -1, 9, 10, -10, 99, INT_MAX, INT_MIN, UINT_MAX, LLONG_MAX, LLONG_MIN};

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		check("%d and %u", (int)numbers[i], (unsigned)numbers[i]);
		check("%lld", numbers[i]);
		check("%llu,%zu", (unsigned long long)numbers[i], (size_t)numbers[i]);
		check("%ld %lu", (long)numbers[i], (unsigned long)numbers[i]);
	}
}

/* What goes to printf whole, also where what went before it has been added already. */
static void
test_others(void **state)
{
	check("%s %d %%", "a", 1);
	check("%s %d %x", "a", 1, 255U);
	check("%zu:%c%c", sizeof(int), 'a', '\n');
	check("%02d:%02d", 1, 23);
	check("%llu %.3f %s", 1ULL, 1.5, "end");
	check("%u%hhu", 1U, (unsigned char)2);
	check("%d %5d %-5d %+d", 1, 2, 3, 4);
	check("%.*s %*d", 1, "ab", 4, 5);
}

/* Around the lengths at which the buffer grows. */
static void
test_lengths(void **state)
{
	char string[301] = "";

	for (size_t len = 0; len < sizeof string - 1; len++) {
		check("%s%u", string, 7U);
		check("%s%x", string, 7U);
		string[len] = (char)('a' + len % 26);
	}
}

static void
test_functions(void **state)
{
	struct text text = {0};
	char *made = xasprintf("%s=%d", "a", -1);

	assert_string_equal(made, "a=-1");
	free(made);
	made = xasprintf("%s", "");
	assert_string_equal(made, "");
	free(made);
	text_addf(&text, "%s", "");
	assert_string_equal(text.data, "");
	text_addf(&text, "%d.%c", 1, 'x');
	text_addf(&text, "%zu", (size_t)2);
	assert_string_equal(text.data, "1.x2");
	text_fini(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_functions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
