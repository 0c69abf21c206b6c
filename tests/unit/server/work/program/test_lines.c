/* Lines out of bytes that come in pieces. */
#include "work/program/lines.h"

#include "common/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
collect(void *arg, const char *line, size_t len)
{
	struct text *text = arg;

	assert_int_equal(line[len], '\0');
	text_add_char(text, '[');
	text_add(text, line, len);
	text_add_char(text, ']');
}

static const struct {
	const char *data;
	const char *lines;
} cases[] = {
	{"", ""},
	{"a", "[a]"},
	{"a\n", "[a]"},
	{"a\nb", "[a][b]"},
	{"\n\n", "[][]"},
	{"a\r\nb\r\n", "[a][b]"},
	{"\r\n", "[]"},
	{"a\rb\n", "[a\rb]"},
	{"a\r\r\n", "[a\r]"},
};

static void
test_lines(void **state)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (size_t step = 1; step < 4; step++) {
			struct lines lines = {0};
			struct text text = {0};
			size_t len = strlen(cases[i].data);

			for (size_t at = 0; at < len; at += step)
				lines_feed(&lines, cases[i].data + at, len - at < step ? len - at : step,
					collect, &text);
			lines_finish(&lines, collect, &text);
			assert_string_equal(text.data ? text.data : "", cases[i].lines);
			text_fini(&text);
		}
}

static void
measure(void *arg, const char *line, size_t len)
{
	size_t *lens = arg;

	lens[lens[0]++] = len;
}

static void
test_long_lines_are_cut(void **state)
{
	struct lines lines = {0};
	size_t lens[8] = {1};
	char data[3 * LINES_MAX];

	memset(data, 'x', sizeof data);
	data[LINES_MAX] = '\n'; /* just fits */
	lines_feed(&lines, data, sizeof data, measure, lens);
	lines_feed(&lines, data, LINES_MAX + 1, measure, lens);
	lines_feed(&lines, "y\n", 2, measure, lens);
	lines_finish(&lines, measure, lens);
	assert_int_equal(lens[0], 4);
	assert_int_equal(lens[1], LINES_MAX);
	assert_int_equal(lens[2], LINES_MAX);
	assert_int_equal(lens[3], 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_long_lines_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
