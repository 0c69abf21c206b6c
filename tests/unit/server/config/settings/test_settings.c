/* Tests of server/settings.c and server/setting_kinds.c. */
#include "config/settings/settings.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/json/json.h"

/* What the table below reads into. */
struct inner {
	char *title;
	bool is_finished;
};

struct all {
	char *string;
	char *empty;
	unsigned whole;
	int64_t time;
	uint64_t size;
	bool boolean;
	uint8_t behind[3]; /* stays as it was */
	int choice;
	bool flag;
	char **names;
	char **letters;
	struct inner inner;
	char *own;
};

static void
finish_inner(struct settings *settings, struct json_object *value, void *owner)
{
	struct inner *inner = owner;

	inner->is_finished = true;
}

static void
read_own(struct settings *settings, struct json_object *value, void *owner)
{
	struct all *all = owner;

	all->own = xstrdup(json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN));
}

static void
free_own(void *owner)
{
	struct all *all = owner;

	free(all->own);
	all->own = NULL;
}

/* A single letter, doubled. */
static char *
convert_letter(struct settings *settings, const char *string)
{
	if (strlen(string) == 1)
		return xasprintf("%s%s", string, string);
	mistakes_add_string(&settings->mistakes, string, "is no letter");
	return NULL;
}

#define ALL(kind, member) SETTING_PLACE(kind, struct all, member)

static const struct setting_choice choices[] = {{"\"one\"", 1}, {"2", 2}, {NULL, 0}};
static const struct setting_choice flags[] = {{"\"off\"", false}, {"\"on\"", true}, {NULL, 0}};

static const struct setting inner_rows[] = {
	{.name = "title",
		SETTING_PLACE(SETTING_STRING, struct inner, title),
		.is_required = true,
		.meaning = "Its title."},
	{.name = NULL},
};

static const struct setting_table inner_table = {inner_rows, finish_inner};

static const struct setting rows[] = {
	{.name = "string", ALL(SETTING_STRING, string), .fallback = "\"x\"", .meaning = "A string."},
	{.name = "empty", ALL(SETTING_STRING, empty), .may_be_empty = true, .meaning = "Perhaps nothing."},
	{.name = "whole",
		ALL(SETTING_WHOLE, whole),
		.min = 1,
		.max = 100,
		.fallback = "16",
		.meaning = "A number."},
	{.name = "time",
		ALL(SETTING_TIME, time),
		.min = 10,
		.max = 86400000,
		.fallback_note = "somebody's",
		.meaning = "A time."},
	{.name = "size",
		ALL(SETTING_SIZE, size),
		.max = 1 << 20,
		.fallback = "\"1KiB\"",
		.meaning = "A size."},
	{.name = "boolean", ALL(SETTING_BOOLEAN, boolean), .fallback = "true", .meaning = "Yes or no."},
	{.name = "choice",
		ALL(SETTING_CHOICE, choice),
		.choices = choices,
		.fallback = "2",
		.meaning = "One."},
	{.name = "flag",
		ALL(SETTING_CHOICE, flag),
		.choices = flags,
		.fallback = "\"off\"",
		.meaning = "A bool."},
	{.name = "names", ALL(SETTING_NAMES, names), .min = 1, .max = 4, .meaning = "Names."},
	{.name = "letters",
		ALL(SETTING_NAMES, letters),
		.max = 3,
		.may_repeat = true,
		.convert = convert_letter,
		.type = "letters",
		.meaning = "Letters."},
	{.name = "inner", ALL(SETTING_OBJECT, inner), .members = &inner_table, .meaning = "More."},
	{.name = "own", .kind = SETTING_OWN, .read = read_own, .free = free_own, .meaning = "Its own."},
	{.name = NULL},
};

static const struct setting_table table = {rows, NULL};

/* Reads json into all; answers the lines (malloc'ed). */
static char *
read_all(const char *json, struct all *ret_all)
{
	struct settings settings = {.mistakes.file = "FILE"};
	struct json_mistake mistake;
	struct json_object *value = NULL;

	assert_int_equal(json_parse(json, strlen(json), &value, &mistake), 0);
	settings_read(&settings, &table, value, ret_all);
	json_object_put(value);
	assert_int_equal(settings.mistakes.pointer.len, 0);
	char *lines = text_take(&settings.mistakes.lines);
	mistakes_fini(&settings.mistakes);
	return lines;
}

struct settings_case {
	const char *json;
	const char *lines;
};

static const struct settings_case cases[] = {
	{"{}", ""},
	{"[]", "FILE: an array is not an object\n"},
	{"null", "FILE: null is not an object\n"},
	/* unknown members */
	{"{\"hole\": 1}", "/hole: unknown member (did you mean \"whole\"?)\n"},
	{"{\"Whole\": 1}", "/Whole: unknown member (did you mean \"whole\"?)\n"},
	{"{\"zzzzzzzz\": 1}", "/zzzzzzzz: unknown member\n"},
	{"{\"\": 1}", "/: unknown member\n"},
	{"{\"a/~\": 1}", "/a~1~0: unknown member\n"},
	{"{\"a\\nbcdefghi\": 1}", "/a\\u000abcdefghi: unknown member\n"},
	/* strings */
	{"{\"string\": 1}", "/string: 1 is not a string\n"},
	{"{\"string\": null}", "/string: null is not a string\n"},
	{"{\"string\": \"\"}", "/string: \"\" is empty\n"},
	{"{\"string\": \"a\\u0000b\"}", "/string: \"a\\u0000b\" has a NUL in it\n"},
	{"{\"empty\": \"\"}", ""},
	/* whole numbers */
	{"{\"whole\": 1}", ""},
	{"{\"whole\": 100}", ""},
	{"{\"whole\": 7.0}", ""},
	{"{\"whole\": 1e1}", ""},
	{"{\"whole\": 0}", "/whole: 0 is not between 1 and 100\n"},
	{"{\"whole\": 101}", "/whole: 101 is not between 1 and 100\n"},
	{"{\"whole\": -1}", "/whole: -1 is not between 1 and 100\n"},
	{"{\"whole\": -1.5}", "/whole: -1.5 is not between 1 and 100\n"},
	{"{\"whole\": 4294967297}", "/whole: 4294967297 is not between 1 and 100\n"},
	{"{\"whole\": 18446744073709551615}", "/whole: 18446744073709551615 is not between 1 and 100\n"},
	{"{\"whole\": 18446744073709551617}", "/whole: 18446744073709551617 is not between 1 and 100\n"},
	{"{\"whole\": 1e400}", "/whole: 1e400 is not between 1 and 100\n"},
	{"{\"whole\": 1.5}", "/whole: 1.5 is not a whole number\n"},
	{"{\"whole\": \"many\"}", "/whole: \"many\" is not a whole number\n"},
	{"{\"whole\": \"1\"}", "/whole: \"1\" is not a whole number\n"},
	{"{\"whole\": [1]}", "/whole: an array is not a whole number\n"},
	{"{\"whole\": true}", "/whole: true is not a whole number\n"},
	/* times */
	{"{\"time\": \"10ms\"}", ""},
	{"{\"time\": \"1d\"}", ""},
	{"{\"time\": \"30x\"}", "/time: \"30x\" is not a time such as \"30s\", \"5m\" or \"1h\"\n"},
	{"{\"time\": 30}", "/time: 30 is not a time such as \"30s\", \"5m\" or \"1h\"\n"},
	{"{\"time\": \"30s\\u0000\"}",
		"/time: \"30s\\u0000\" is not a time such as \"30s\", \"5m\" or \"1h\"\n"},
	{"{\"time\": {}}", "/time: an object is not a time such as \"30s\", \"5m\" or \"1h\"\n"},
	{"{\"time\": \"0s\"}", "/time: \"0s\" is not between 10ms and 1d\n"},
	{"{\"time\": \"25h\"}", "/time: \"25h\" is not between 10ms and 1d\n"},
	{"{\"time\": \"99999999999999999999d\"}",
		"/time: \"99999999999999999999d\" is not between 10ms and 1d\n"},
	/* sizes */
	{"{\"size\": 512}", ""},
	{"{\"size\": 0.0}", ""},
	{"{\"size\": \"0B\"}", ""},
	{"{\"size\": \"1MiB\"}", ""},
	{"{\"size\": \"2MiB\"}", "/size: \"2MiB\" is not between 0B and 1MiB\n"},
	{"{\"size\": 1048577}", "/size: 1048577 is not between 0B and 1MiB\n"},
	{"{\"size\": -1}", "/size: -1 is not between 0B and 1MiB\n"},
	{"{\"size\": \"64KB\"}", "/size: \"64KB\" is not a size such as \"64KiB\" or \"10MiB\"\n"},
	{"{\"size\": 0.5}", "/size: 0.5 is not a size such as \"64KiB\" or \"10MiB\"\n"},
	{"{\"size\": false}", "/size: false is not a size such as \"64KiB\" or \"10MiB\"\n"},
	/* booleans and choices */
	{"{\"boolean\": \"true\"}", "/boolean: \"true\" is neither true nor false\n"},
	{"{\"boolean\": 0}", "/boolean: 0 is neither true nor false\n"},
	{"{\"choice\": \"one\"}", ""},
	{"{\"choice\": 1}", "/choice: 1 is not one of \"one\", 2\n"},
	{"{\"choice\": \"2\"}", "/choice: \"2\" is not one of \"one\", 2\n"},
	{"{\"choice\": null}", "/choice: null is not one of \"one\", 2\n"},
	{"{\"flag\": true}", "/flag: true is not one of \"off\", \"on\"\n"},
	/* names */
	{"{\"names\": [\"a\", \"b\", \"c\", \"d\"]}", ""},
	{"{\"names\": \"a\"}", "/names: \"a\" is not a list\n"},
	{"{\"names\": []}", "/names: 0 elements are not between 1 and 4\n"},
	{"{\"names\": [\"a\", \"b\", \"c\", \"d\", \"e\"]}", "/names: 5 elements are not between 1 and 4\n"},
	{"{\"names\": [\"a\", 1, \"\", \"a\"]}",
		"/names/1: 1 is not a string\n/names/2: \"\" is empty\n/names/3: \"a\" is listed twice\n"},
	{"{\"names\": [1, 2]}", "/names/0: 1 is not a string\n/names/1: 2 is not a string\n"},
	{"{\"letters\": []}", ""},
	{"{\"letters\": [\"a\", \"a\"]}", ""},
	{"{\"letters\": [\"a\", \"bc\"]}", "/letters/1: \"bc\" is no letter\n"},
	/* objects */
	{"{\"inner\": {\"title\": \"t\"}}", ""},
	{"{\"inner\": 1}", "/inner: 1 is not an object\n"},
	{"{\"inner\": {}}", "/inner/title: is missing\n"},
	{"{\"inner\": {\"titel\": 1}}", "/inner/titel: unknown member (did you mean \"title\"?)\n"},
	{"{\"inner\": {\"zzzzz\": 1}}", "/inner/zzzzz: unknown member\n/inner/title: is missing\n"},
	{"{\"own\": [1, {}]}", ""},
	/* all at once */
	{"{\"string\": 1, \"whole\": \"x\", \"inner\": {\"title\": 2, \"x\": 3}}",
		"/string: 1 is not a string\n/whole: \"x\" is not a whole number\n"
		"/inner/x: unknown member\n/inner/title: 2 is not a string\n"},
};

static void
test_cases(void **state)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct all all = {0};
		char *lines = read_all(cases[i].json, &all);
		if (strcmp(lines, cases[i].lines) != 0)
			fail_msg("%s\ngave:\n%s", cases[i].json, lines);
		free(lines);
		settings_free(&table, &all);
	}
}

static void
test_values(void **state)
{
	struct all all = {0};
	char *lines = read_all(
		"{\"string\": \"a\", \"whole\": 3, \"time\": \"2s\", \"size\": 5, \"boolean\": false,"
		" \"choice\": \"one\", \"flag\": \"on\", \"names\": [\"n\", \"m\"],"
		" \"letters\": [\"l\"], \"inner\": {\"title\": \"t\"}, \"own\": [1]}",
		&all);

	assert_string_equal(lines, "");
	assert_string_equal(all.string, "a");
	assert_null(all.empty);
	assert_int_equal(all.whole, 3);
	assert_int_equal(all.time, 2000);
	assert_int_equal(all.size, 5);
	assert_false(all.boolean);
	assert_int_equal(all.choice, 1);
	assert_true(all.flag);
	assert_string_equal(all.names[0], "n");
	assert_string_equal(all.names[1], "m");
	assert_null(all.names[2]);
	assert_string_equal(all.letters[0], "ll");
	assert_string_equal(all.inner.title, "t");
	assert_true(all.inner.is_finished);
	assert_string_equal(all.own, "[1]");
	free(lines);
	settings_free(&table, &all);
}

static void
test_defaults(void **state)
{
	struct all all = {.time = 4711, .behind = {7, 7, 7}};
	char *lines = read_all("{}", &all);

	assert_string_equal(lines, "");
	assert_string_equal(all.string, "x");
	assert_int_equal(all.whole, 16);
	assert_int_equal(all.time, 4711);
	assert_int_equal(all.size, 1024);
	assert_true(all.boolean);
	assert_true(all.behind[0] == 7 && all.behind[1] == 7 && all.behind[2] == 7);
	assert_int_equal(all.choice, 2);
	assert_false(all.flag);
	assert_null(all.names);
	assert_null(all.inner.title);
	assert_false(all.inner.is_finished);
	free(lines);
	settings_free(&table, &all);
}

/* One that is wrong keeps its place, and the others theirs. */
static void
test_places(void **state)
{
	struct all all = {.time = 4711};
	char *lines = read_all("{\"names\": [\"a\", 1, \"c\"], \"time\": 1}", &all);

	assert_int_equal(all.time, 4711);
	assert_string_equal(all.names[0], "a");
	assert_string_equal(all.names[1], "");
	assert_string_equal(all.names[2], "c");
	assert_null(all.names[3]);
	free(lines);
	settings_free(&table, &all);
	assert_null(all.names);
	assert_null(all.string);
	settings_free(&table, &all);
}

static void
test_long_string(void **state)
{
	struct all all = {0};
	char *string = xcalloc(SETTINGS_STRING_MAX + 2, 1);

	memset(string, 'a', SETTINGS_STRING_MAX + 1);
	char *json = xasprintf("{\"string\": \"%s\", \"empty\": \"%s\"}", string, string + 1);
	char *lines = read_all(json, &all);
	assert_non_null(strstr(lines, "\"... is longer than 65536 bytes\n"));
	assert_int_equal(strlen(all.empty), SETTINGS_STRING_MAX);
	free(lines);
	free(json);
	free(string);
	settings_free(&table, &all);
}

/* A file that is something else altogether does not flood anybody. */
static void
test_many_unknown(void **state)
{
	struct all all = {0};
	struct text json = {0};

	text_add_string(&json, "{\"0\": 0");
	for (int i = 1; i < 150; i++)
		text_addf(&json, ", \"%d\": 0", i);
	text_add_string(&json, "}");
	char *lines = read_all(json.data, &all);
	assert_non_null(strstr(lines, "/99: unknown member\nFILE: 50 more unknown members\n"));
	free(lines);
	text_fini(&json);
	settings_free(&table, &all);
}

static void
test_has(void **state)
{
	struct json_object *value = json_tokener_parse("{\"whole\": 1, \"tyme\": 2, \"zzzzzz\": 3}");

	assert_true(settings_has(&table, value, "whole"));
	assert_true(settings_has(&table, value, "time"));
	assert_false(settings_has(&table, value, "size"));
	json_object_put(value);
}

static void
test_describe(void **state)
{
	struct text text = {0};

	settings_describe(&table, "a[].", NULL, &text);
	assert_non_null(strstr(text.data, "a[].string\n    string; default: \"x\"\n    A string.\n"));
	assert_non_null(strstr(text.data, "a[].empty\n    string\n    Perhaps nothing.\n"));
	assert_non_null(strstr(text.data, "a[].whole\n    whole number, 1 to 100; default: 16\n"));
	assert_non_null(strstr(text.data, "a[].time\n    time, 10ms to 1d; default: somebody's\n"));
	assert_non_null(strstr(text.data, "a[].size\n    size, 0B to 1MiB; default: \"1KiB\"\n"));
	assert_non_null(strstr(text.data, "a[].choice\n    one of \"one\", 2; default: 2\n"));
	assert_non_null(strstr(text.data, "a[].letters\n    letters\n"));
	assert_non_null(strstr(
		text.data, "a[].inner\n    object\n    More.\na[].inner.title\n    string; required\n"));
	text_fini(&text);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_long_string),
		cmocka_unit_test(test_many_unknown),
		cmocka_unit_test(test_has),
		cmocka_unit_test(test_describe),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
