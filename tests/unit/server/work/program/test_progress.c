/* Progress lines. */
#include "work/program/progress.h"

#include "common/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct text told;

static void
on_progress(struct work_control *control, int percent, const char *text)
{
	text_addf(&told, "[%d%s%s]", percent, text ? " " : "", text ? text : "");
}

static void
feed(const char *const *pieces, const char *expected)
{
	struct work_control control = {.on_progress = on_progress};
	struct progress progress;

	text_clear(&told);
	progress_init(&progress, &control);
	for (; *pieces; pieces++)
		progress_feed(&progress, *pieces, strlen(*pieces));
	progress_finish(&progress);
	progress_fini(&progress);
	assert_string_equal(told.data ? told.data : "", expected);
}

#define FEED(expected, ...) feed((const char *const[]){__VA_ARGS__, NULL}, expected)

static void
test_lines(void **state)
{
	FEED("[0][50 half][100]", "0\n", "50 half\n", "100\n");
	FEED("[7 in pieces]", "7", " in ", "pie", "ces", "\n");
	FEED("[7 no end]", "7 no end");
	FEED("[7 crlf]", "7 crlf\r\n");
	FEED("[7]", "7 \n");
	FEED("[7  x]", "7  x\n");
	FEED("[7 \xe2\x82\xac]", "7 \xe2\x82\xac\n");
}

static void
test_only_changes_are_told(void **state)
{
	FEED("[5 a][5 b][5][6]", "5 a\n", "5 a\n", "5 b\n", "5 b\n", "5\n", "5\n", "6\n");
	/* of what came at once, only the last */
	FEED("[3 c]", "1 a\n2 b\n3 c\n");
}

static void
test_junk_is_ignored(void **state)
{
	FEED("", "\n", "x\n", "-1\n", "101\n", "1.5\n", "50%\n", " 5\n", "+5\n", "0x5\n", "5\tx\n",
		"99999999999999999999\n", "five\n");
	FEED("[5]", "5 \xff\xfe\n");
	FEED("[5 a]", "5 a\n", "junk\n", "5 a\n");
}

static void
test_nul_is_junk(void **state)
{
	struct work_control control = {.on_progress = on_progress};
	struct progress progress;

	text_clear(&told);
	progress_init(&progress, &control);
	progress_feed(&progress, "5 a\0b\n", 6);
	progress_feed(&progress, "6\0\n", 3);
	progress_fini(&progress);
	assert_int_equal(told.len, 0);
}

static void
test_long_text_is_cut(void **state)
{
	struct text line = {0}, expected = {0};

	text_add_string(&line, "5 ");
	for (int i = 0; i < 300; i++)
		text_add_char(&line, 'x');
	text_add_char(&line, '\n');
	text_addf(&expected, "[%.*s]", 2 + PROGRESS_TEXT_MAX, line.data);
	FEED(expected.data, line.data);

	/* never in the midst of a character */
	text_clear(&line);
	text_add_string(&line, "5 a");
	for (int i = 0; i < 1000; i++)
		text_add_string(&line, "\xe2\x82\xac");
	text_add_char(&line, '\n');
	text_clear(&expected);
	text_addf(&expected, "[%.*s]", 3 + 66 * 3, line.data);
	FEED(expected.data, line.data);

	/* nor in what only looks like one */
	text_clear(&line);
	text_add_string(&line, "5 ");
	for (int i = 0; i < 300; i++)
		text_add_char(&line, '\x80');
	text_add_char(&line, '\n');
	FEED("[5]", line.data);
	text_fini(&line);
	text_fini(&expected);
}

static void
test_nobody_listens(void **state)
{
	struct work_control control = {0};
	struct progress progress;

	progress_init(&progress, &control);
	progress_feed(&progress, "5 a\n6 b", 7);
	progress_finish(&progress);
	assert_int_equal(progress.percent, 6);
	progress_fini(&progress);
}

static int
teardown(void **state)
{
	text_fini(&told);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_only_changes_are_told),
		cmocka_unit_test(test_junk_is_ignored),
		cmocka_unit_test(test_nul_is_junk),
		cmocka_unit_test(test_long_text_is_cut),
		cmocka_unit_test(test_nobody_listens),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
