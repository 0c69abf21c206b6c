/* Tests of common/json.c. */
#include "common/json/json.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PLAIN (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

typedef int (*parse_fn)(
	const char *data, size_t len, struct json_object **ret_value, struct json_mistake *ret_mistake);

struct good_case {
	const char *text;
	const char *printed; /* NULL: as the text */
};

struct bad_case {
	const char *text;
	size_t line, column;
	const char *reason;
};

static void
check_good(parse_fn parse, const char *text, size_t len, const char *printed)
{
	char *data = malloc(len + !len); /* without a NUL: nothing beyond len is read */
	struct json_mistake mistake = {.line = 77};
	struct json_object *value = (struct json_object *)&mistake;

	memcpy(data, text, len);
	if (parse(data, len, &value, &mistake) != 0)
		fail_msg("%s: %zu:%zu: %s", text, mistake.line, mistake.column, mistake.reason);
	free(data);
	assert_int_equal(mistake.line, 77);
	assert_string_equal(json_object_to_json_string_ext(value, PLAIN), printed);
	json_object_put(value);
}

static void
check_bad(parse_fn parse, const char *text, size_t len, const struct bad_case *expected)
{
	char *data = malloc(len + !len);
	struct json_mistake mistake = {.line = 77};
	struct json_object *value = (struct json_object *)&mistake;

	memcpy(data, text, len);
	if (parse(data, len, &value, &mistake) != -EINVAL)
		fail_msg("%s is taken", text);
	free(data);
	assert_ptr_equal(value, &mistake);
	if (mistake.line != expected->line || mistake.column != expected->column ||
		strcmp(mistake.reason, expected->reason) != 0)
		fail_msg("%s: %zu:%zu: %s", text, mistake.line, mistake.column, mistake.reason);
}

static void
test_good(void **state)
{
	static const struct good_case cases[] = {
		{"null", NULL},
		{"true", NULL},
		{" \t\r\nfalse\n\r\t ", "false"},
		{"\"\"", NULL},
		{"[]", NULL},
		{"{}", NULL},
		{"[1,[2,{\"a\":[]}],{}]", NULL},
		{" { \"a\" : [ 1 , null ] , \"b\" : { } } ", "{\"a\":[1,null],\"b\":{}}"},
		{"{\"\":1,\" \":2}", NULL},
		{"{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":2}}", NULL},
		{"[{\"a\":1},{\"a\":2}]", NULL},
		{"{\"a:\":\":\",\"b\":\"\\\":\"}", NULL},
		{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
		{"\"\\u00e9\\u20AC\\uD83D\\ude00\"", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
		{"\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\x7f\"", NULL},
		{"\"\\u0000\"", NULL},
		{"{\"a\":\"\\u0000\"}", NULL},
		{"[\"\\u0000\",\":\"]", NULL},
		{"{\"\\\\u0000\":1}", NULL},
		{"\"\\ud800\"", "\"\xef\xbf\xbd\""},
		{"0", NULL},
		{"-0", "0"},
		{"-12", NULL},
		{"1.0", NULL},
		{"1.10", NULL},
		{"-0.5e-10", NULL},
		{"1E5", NULL},
		{"0e0", NULL},
		{"1e400", NULL},
		{"0.1234567890123456789012345678901234567890", NULL},
		{"9223372036854775807", NULL},
		{"-9223372036854775808", NULL},
		{"9223372036854775808", NULL},
		{"18446744073709551615", NULL},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *printed = cases[i].printed ? cases[i].printed : cases[i].text;

		check_good(json_parse, cases[i].text, strlen(cases[i].text), printed);
		check_good(json_parse_with_comments, cases[i].text, strlen(cases[i].text), printed);
	}
}

static void
test_bad(void **state)
{
	static const struct bad_case cases[] = {
		{"", 1, 1, "unexpected end"},
		{" \n ", 2, 2, "unexpected end"},
		{"[", 1, 2, "unexpected end"},
		{"[1", 1, 3, "unexpected end"},
		{"[1,", 1, 4, "unexpected end"},
		{"{\"a\"", 1, 5, "unexpected end"},
		{"{\"a\":", 1, 6, "unexpected end"},
		{"\"abc", 1, 1, "string without an end"},
		{"[\"abc]", 1, 2, "string without an end"},
		{"\"\\", 1, 1, "string without an end"},
		{"\"\\\"", 1, 1, "string without an end"},
		{"\"a\tb\"", 1, 3, "control character in a string"},
		{"\"a\nb\"", 1, 3, "control character in a string"},
		{"'a'", 1, 1, "unexpected character"},
		{"{a:1}", 1, 2, "unexpected character"},
		{"[1,]", 1, 4, "trailing comma"},
		{"{\"a\": 1,\n}", 2, 1, "trailing comma"},
		{"[,]", 1, 2, "unexpected character"},
		{"{\n  \"a\": tru\n}", 2, 8, "unexpected character"},
		{"NaN", 1, 1, "unexpected character"},
		{"[Infinity]", 1, 2, "unexpected character"},
		{"TRUE", 1, 1, "unexpected character"},
		{"+1", 1, 1, "unexpected character"},
		{".5", 1, 1, "unexpected character"},
		{"01", 1, 1, "malformed number"},
		{"[1, -]", 1, 5, "malformed number"},
		{"1.", 1, 1, "malformed number"},
		{"1.e5", 1, 1, "malformed number"},
		{"1e", 1, 1, "malformed number"},
		{"1e+", 1, 1, "malformed number"},
		{"-01", 1, 1, "malformed number"},
		{"0x10", 1, 2, "unexpected character"},
		{"1/**/", 1, 2, "unexpected character"},
		{"\xef\xbb\xbf{}", 1, 1, "byte order mark (JSON text begins without one)"},
		{"[1\xc2\xa0]", 1, 3, "unexpected character"},
		{"[\n\"a\xff\"]", 2, 3, "not UTF-8"},
		{"\"\xc3\xa9\xed\xa0\x80\"", 1, 4, "not UTF-8"},
		{"\"\xe2\x82", 1, 2, "not UTF-8"},
		{"\xc0\x80", 1, 1, "not UTF-8"},
		{"{\"a\":1,\n \"a\":2}", 2, 2, "repeated member"},
		{"[{\"a\":1},{\"b\":{\"c\":1,\"a\":1,\"c\":2}}]", 1, 28, "repeated member"},
		{"{\"\":1,\"\":1}", 1, 7, "repeated member"},
		{"{\"a\":1,\"\\u0061\":2}", 1, 1, "repeated member"},
		{"{\"\\u0000\":1}", 1, 2, "NUL in a name"},
		{"{\"x\":1,\"a\\u0000b\"\n:1}", 1, 8, "NUL in a name"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		check_bad(json_parse, cases[i].text, strlen(cases[i].text), &cases[i]);
}

/* Where exactly json-c sees these is its own affair; that they are refused is ours. */
static void
test_bad_structure(void **state)
{
	static const char *const cases[] = {"1 2", "[] []", "{}x", "{}{}", "[]1", "truefalse", "true false",
		"nullnull", "null1", "1null", "\"a\"\"b\"", "\"a\"1", "1-2", "[1-2]", "[1 2]", "[1\"a\"]",
		"[true1]", "[1,]", "[,1]", "[,]", "[1,,2]", "[1:2]", "[1]]", "]", "}", ":", ",", ":1", "[}",
		"{]", "{,}", "{1:2}", "{\"a\"}", "{\"a\",1}", "{\"a\" 1}", "{\"a\"::1}", "{\"a\":1:2}",
		"{\"a\":1,}", "{\"a\":1 \"b\":2}", "{:1}", "{\"a\":}", "{\"a\":1,\"b\"}", "{\"a\":1}}",
		"{null:1}", "{{}:1}", "[\"a\":1]", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\U0041\"",
		"\"\\'\"", "\"\\\x01\"", "1\f", "\v1", "[123456789012345678901234567890 1]"};
	struct json_object *value;
	struct json_mistake mistake;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t len = strlen(cases[i]);

		if (json_parse(cases[i], len, &value, &mistake) != -EINVAL)
			fail_msg("%s is taken", cases[i]);
		assert_in_range(mistake.line, 1, 2);
		assert_in_range(mistake.column, 1, len + 1);
		assert_int_equal(json_parse_with_comments(cases[i], len, &value, &mistake), -EINVAL);
	}
	assert_int_equal(json_parse("1\0", 2, &value, &mistake), -EINVAL);
	assert_int_equal(json_parse("\0", 1, &value, &mistake), -EINVAL);
	assert_int_equal(json_parse("\"a\0b\"", 5, &value, &mistake), -EINVAL);
	assert_int_equal(json_parse("[1]\0", 4, &value, &mistake), -EINVAL);
}

/* A text cut anywhere is no text, and nothing beyond the cut is looked at. */
static void
test_cut(void **state)
{
	static const char text[] = "{\"a\\n\\u00e9\xc3\xa9\":[1,-2.5e+3,true,null,\"\"],"
				   "\"b\":{\"c\":123456789012345678901234567890}}";
	size_t len = sizeof text - 1;

	for (size_t cut = 0; cut < len; cut++) {
		char *data = malloc(cut + !cut);
		struct json_object *value;
		struct json_mistake mistake;

		memcpy(data, text, cut);
		assert_int_equal(json_parse(data, cut, &value, &mistake), -EINVAL);
		assert_int_equal(mistake.line, 1);
		assert_in_range(mistake.column, 1, cut + 1);
		free(data);
	}
}

static char *
nest(const char *open, const char *inner, const char *close, size_t depth)
{
	struct text text = {0};

	for (size_t i = 0; i < depth; i++)
		text_add_string(&text, open);
	text_add_string(&text, inner);
	for (size_t i = 0; i < depth; i++)
		text_add_string(&text, close);
	return text_take(&text);
}

/* Nesting is counted in arrays and objects, whatever is innermost. */
static void
test_depth(void **state)
{
	static const struct {
		const char *open, *inner, *close;
		size_t each, extra; /* levels of a turn, and of what is innermost */
	} cases[] = {
		{"[", "", "]", 1, 0},
		{"[", "1", "]", 1, 0},
		{"[", "{}", "]", 1, 1},
		{"{\"a\":", "1", "}", 1, 0},
		{"{\"a\":", "[]", "}", 1, 1},
		{"[{\"a\":", "\"[[[[\"", "}]", 2, 0},
		{"[[],", "[]", "]", 1, 1},
	};
	struct json_object *value;
	struct json_mistake mistake;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t most = (JSON_DEPTH_MAX - cases[i].extra) / cases[i].each;
		char *good = nest(cases[i].open, cases[i].inner, cases[i].close, most);
		char *bad = nest(cases[i].open, cases[i].inner, cases[i].close, most + 1);
		char *worse = nest(cases[i].open, cases[i].inner, cases[i].close, 100000);

		assert_int_equal(json_parse(good, strlen(good), &value, &mistake), 0);
		json_object_put(value);
		assert_int_equal(json_parse(bad, strlen(bad), &value, &mistake), -EINVAL);
		assert_string_equal(mistake.reason, "nested too deeply");
		assert_int_equal(json_parse(worse, strlen(worse), &value, &mistake), -EINVAL);
		assert_string_equal(mistake.reason, "nested too deeply");
		free(good);
		free(bad);
		free(worse);
	}
	char *repeated = nest("[", "{\"a\":1,\"a\":1}", "]", JSON_DEPTH_MAX - 1);
	assert_int_equal(json_parse(repeated, strlen(repeated), &value, &mistake), -EINVAL);
	assert_string_equal(mistake.reason, "repeated member");
	assert_int_equal(mistake.column, JSON_DEPTH_MAX - 1 + 8);
	free(repeated);
}

/* Whole numbers beyond 64 bits are doubles that keep their text. */
static void
test_large_numbers(void **state)
{
	static const struct {
		const char *text;
		double number;
	} cases[] = {
		{"18446744073709551616", 18446744073709551616.0},
		{"-9223372036854775809", -9223372036854775809.0},
		{"123456789012345678901234567890", 123456789012345678901234567890.0},
		{"100000000000000000000", 1e20},
	};
	struct json_object *value;
	struct json_mistake mistake;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(json_parse(cases[i].text, strlen(cases[i].text), &value, &mistake), 0);
		assert_true(json_object_is_type(value, json_type_double));
		assert_true(fabs(json_object_get_double(value) - cases[i].number) < 1);
		assert_string_equal(json_object_to_json_string_ext(value, PLAIN), cases[i].text);
		json_object_put(value);
	}
	static const char inside[] = "[1,99999999999999999999,{\"a\":-99999999999999999999,"
				     "\"b\":[\"99999999999999999999\"]}]";
	check_good(json_parse, inside, sizeof inside - 1, inside);
	/* The exponent that json-c is given with them stays where the sender wrote it: without it -0 would be
	 * 0. */
	static const char exponents[] = "[-0e-0,1e-0,18446744073709551615e-0]";
	check_good(json_parse, exponents, sizeof exponents - 1, exponents);
	/* A mistake behind one is told where it is in the text that came. */
	check_bad(json_parse, "[99999999999999999999,99999999999999999999\n,}", 45,
		&(struct bad_case){.line = 2, .column = 2, .reason = "trailing comma"});
}

static void
test_comments(void **state)
{
	static const struct good_case good[] = {
		{"// all\n{ // of it\n\"a\": /* one */ 1 /* two\n lines */ }\n// end", "{\"a\":1}"},
		{"/**/1/***/", "1"},
		{"/*/ still */1", "1"},
		{"1//", "1"},
		{"// \xff\n1", "1"},
		{"\"// no /* comment */\"", NULL},
		{"[\"\\\"//\",/*\"*/1]", "[\"\\\"//\",1]"},
		{"{\"url\":\"http://x/*y*/\"}//\"", "{\"url\":\"http://x/*y*/\"}"},
	};
	static const struct bad_case bad[] = {
		{"/* open\n{}", 1, 1, "unexpected character"},
		{"{}/*", 1, 3, "unexpected character"},
		{"/*/", 1, 1, "unexpected character"},
		{"{}/", 1, 3, "unexpected character"},
		{"/ /1", 1, 1, "unexpected character"},
		{"// only", 1, 8, "unexpected end"},
		{"/* a\n b */ [1, x]", 2, 11, "unexpected character"},
		{"tr/**/ue", 1, 1, "unexpected character"},
		{"# x\n1", 1, 1, "unexpected character"},
		{"\"// open", 1, 1, "string without an end"},
	};

	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		check_good(json_parse_with_comments, good[i].text, strlen(good[i].text),
			good[i].printed ? good[i].printed : good[i].text);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		check_bad(json_parse_with_comments, bad[i].text, strlen(bad[i].text), &bad[i]);
}

/* Many members do not take long, nor does finding the repeated one. */
static void
test_many_members(void **state)
{
	enum { COUNT = 50000 };
	struct text text = {0};
	struct json_object *value;
	struct json_mistake mistake;

	for (int i = 0; i < COUNT; i++)
		text_addf(&text, "%s\n\"name%d\":[{}]", i ? "," : "{", i);
	text_add_char(&text, '}');
	assert_int_equal(json_parse(text.data, text.len, &value, &mistake), 0);
	assert_int_equal(json_object_object_length(value), COUNT);
	json_object_put(value);
	text.len--;
	text_add_string(&text, ",\n\"name7\":1}");
	assert_int_equal(json_parse(text.data, text.len, &value, &mistake), -EINVAL);
	assert_string_equal(mistake.reason, "repeated member");
	assert_int_equal(mistake.line, COUNT + 2);
	assert_int_equal(mistake.column, 1);
	text_fini(&text);
}

static void
test_find(void **state)
{
	static const char text[] = "{\"a\":{\"b\":{\"c\":1},\"n\":null},\"l\":[{\"a\":1}]}";
	struct json_object *value = NULL;
	struct json_mistake mistake;

	assert_int_equal(json_parse(text, sizeof text - 1, &value, &mistake), 0);
	assert_ptr_equal(json_find(value, NULL), value);
	assert_int_equal(json_object_get_int(json_find(value, "a", "b", "c", NULL)), 1);
	assert_null(json_find(value, "a", "x", "c", NULL));
	assert_null(json_find(value, "a", "n", "c", NULL));
	assert_null(json_find(value, "l", "a", NULL));
	assert_null(json_find(value, "l", "0", NULL));
	assert_null(json_find(value, "a", "b", "c", "d", NULL));
	assert_null(json_find(NULL, "a", NULL));
	json_object_put(value);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_bad_structure),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_large_numbers),
		cmocka_unit_test(test_comments),
		cmocka_unit_test(test_many_members),
		cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
