/* Arguments with names in braces. */
#include "work/program/arguments.h"

#include "work/program/program.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *template;
	const char *filled; /* NULL: the name is not known */
} cases[] = {
	{"", ""},
	{"plain", "plain"},
	{"{a}", "A"},
	{"x{a}y", "xAy"},
	{"{a}{b2}{_c}", "AB*"},
	{"{empty}", ""},
	{"-{empty}-", "--"},
	{"{spaces}", "two words; $(x) `y` \"z\""},
	{"{braces}", "{a}"},
	/* every other brace is literal */
	{"{", "{"},
	{"}", "}"},
	{"{}", "{}"},
	{"{a", "{a"},
	{"a}", "a}"},
	{"{{a}}", "{A}"},
	{"{a }", "{a }"},
	{"{ a}", "{ a}"},
	{"{1}", "{1}"},
	{"{a-b}", "{a-b}"},
	{"{a...}", "{a...}"},
	{"${a}", "$A"},
	{"{\"k\": {a}}", "{\"k\": A}"},
	{"{a{a}", "{aA"},
	{"{\xc3\xa9}", "{\xc3\xa9}"},
	{"{missing}", NULL},
	{"{a}{missing}", NULL},
};

static struct work_input *
new_input(void)
{
	struct work_input *input = work_input_new();

	work_input_add_param(input, "a", "A");
	work_input_add_param(input, "b2", "B");
	work_input_add_param(input, "_c", "*");
	work_input_add_param(input, "empty", "");
	work_input_add_param(input, "spaces", "two words; $(x) `y` \"z\"");
	work_input_add_param(input, "braces", "{a}");
	return input;
}

static void
test_fill(void **state)
{
	struct work_input *input = new_input();

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct string_list templates = {0}, list = {0};
		char *missing = NULL;

		string_list_take(&templates, xstrdup("/bin/{a}"));
		string_list_take(&templates, xstrdup(cases[i].template));
		string_list_take(&templates, xstrdup("last"));
		int rc = arguments_fill(&templates, input, &list, &missing);
		assert_int_equal(rc, cases[i].filled ? 0 : -ENOENT);
		if (cases[i].filled) {
			assert_int_equal(list.count, 3);
			assert_string_equal(list.items[0], "/bin/{a}");
			assert_string_equal(list.items[1], cases[i].filled);
			assert_string_equal(list.items[2], "last");
			assert_null(list.items[3]);
			assert_null(missing);
		} else {
			assert_string_equal(missing, "missing");
		}
		free(missing);
		string_list_fini(&templates);
		string_list_fini(&list);
	}
	work_input_free(input);
}

static int
collect(const char *name, size_t len, void *arg)
{
	struct text *text = arg;

	text_addf(text, "[%.*s]", (int)len, name);
	return len == 4 ? 7 : 0;
}

static void
test_each_name(void **state)
{
	struct text names = {0};

	assert_int_equal(program_each_name("{a}-{_b1} {c-d} {}{e}", collect, &names), 0);
	assert_string_equal(names.data, "[a][_b1][e]");
	text_clear(&names);
	assert_int_equal(program_each_name("{a}{stop}{b}", collect, &names), 7);
	assert_string_equal(names.data, "[a][stop]");
	text_clear(&names);
	assert_int_equal(program_each_name("", collect, &names), 0);
	assert_int_equal(names.len, 0);
	text_fini(&names);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fill),
		cmocka_unit_test(test_each_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
