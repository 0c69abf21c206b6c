/* Tests of deferctl/printable.c. */
#include "deferctl/printable.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *given, *expected;
} cases[] = {
	{"", ""},
	{"plain text", "plain text"},
	{"a\033[2Jb", "a\\x1b[2Jb"},
	{"\r\n\t\177", "\\x0d\\x0a\\x09\\x7f"},
	{"gr\303\274n", "gr\303\274n"},
	{"\302\233"
	 "2J",
		"\\xc2\\x9b"
		"2J"},
	{"\302\240", "\302\240"},
	{"\342\200\256x", "\\xe2\\x80\\xaex"},
	{"\342\201\246x", "\\xe2\\x81\\xa6x"},
	{"\342\202\254", "\342\202\254"},
	{"\377\300\200", "\\xff\\xc0\\x80"},
	{"\342\202", "\\xe2\\x82"},
	{"\360\237\230\200", "\360\237\230\200"},
};

static void
test_cases(void **state)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *shown = printable_dup(cases[i].given, 100);
		assert_string_equal(shown, cases[i].expected);
		free(shown);
	}
}

static void
test_bound(void **state)
{
	char *shown = printable_dup("abc\033def", 6);

	assert_string_equal(shown, "abc");
	free(shown);
	shown = printable_dup("ab\303\274", 3);
	assert_string_equal(shown, "ab");
	free(shown);
	shown = printable_dup(NULL, 3);
	assert_string_equal(shown, "-");
	free(shown);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases), cmocka_unit_test(test_bound)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
