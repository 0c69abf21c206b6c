/* Tests of server/mistakes.c. */
#include "config/settings/mistakes.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/json/json.h"

#define CHECK_LINES(mistakes, expected) \
	do { \
		assert_string_equal((mistakes)->lines.data, expected); \
		mistakes_fini(mistakes); \
	} while (0)

static void
test_pointer(void **state)
{
	struct mistakes mistakes = {.file = "deferd.json"};

	mistakes_add(&mistakes, "one");
	size_t routes = mistakes_enter(&mistakes, "routes");
	size_t second = mistakes_enter_index(&mistakes, 2);
	mistakes_enter(&mistakes, "a/b~c");
	mistakes_add(&mistakes, "two %d", 2);
	mistakes_leave(&mistakes, second);
	mistakes_add(&mistakes, "three");
	mistakes_leave(&mistakes, routes);
	mistakes_add(&mistakes, "four");
	assert_int_equal(mistakes.count, 4);
	CHECK_LINES(
		&mistakes, "deferd.json: one\n/routes/2/a~1b~0c: two 2\n/routes: three\ndeferd.json: four\n");
}

static void
test_leaving_an_empty_pointer(void **state)
{
	struct mistakes mistakes = {.file = "f"};

	mistakes_leave(&mistakes, 0);
	mistakes_add(&mistakes, "x");
	CHECK_LINES(&mistakes, "f: x\n");
}

/* Whatever a name or a value holds, a mistake is one line. */
static void
test_one_line(void **state)
{
	struct mistakes mistakes = {.file = "f"};

	mistakes_enter(&mistakes, "a\nb\x7f");
	mistakes_add_string(&mistakes, "c\nd\x1b", "is\tbad");
	CHECK_LINES(&mistakes, "/a\\u000ab\\u007f: \"c\\nd\\u001b\" is\\u0009bad\n");
}

static void
check_value(const char *json, const char *expected)
{
	struct mistakes mistakes = {.file = "f"};
	struct json_object *value = json_tokener_parse(json);

	mistakes_add_value(&mistakes, value, "is bad");
	assert_string_equal(mistakes.lines.data, expected);
	mistakes_fini(&mistakes);
	json_object_put(value);
}

static void
test_values(void **state)
{
	check_value("\"many\"", "f: \"many\" is bad\n");
	check_value("\"a\\u0000b\"", "f: \"a\\u0000b\" is bad\n");
	check_value("1", "f: 1 is bad\n");
	check_value("1.5", "f: 1.5 is bad\n");
	check_value("true", "f: true is bad\n");
	check_value("null", "f: null is bad\n");
	check_value("[1]", "f: an array is bad\n");
	check_value("{\"a\": 1}", "f: an object is bad\n");
}

static void
check_string(const char *string, const char *expected)
{
	struct mistakes mistakes = {.file = "f"};

	mistakes_add_string(&mistakes, string, "x");
	assert_string_equal(mistakes.lines.data, expected);
	mistakes_fini(&mistakes);
}

#define TEN "0123456789"
#define SEVENTY TEN TEN TEN TEN TEN TEN TEN

/* What is cut is cut between characters. */
static void
test_long_strings(void **state)
{
	check_string(SEVENTY TEN, "f: \"" SEVENTY TEN "\" x\n");
	check_string(SEVENTY TEN "a", "f: \"" SEVENTY TEN "\"... x\n");
	check_string(SEVENTY "012345678\xc3\xa4z", "f: \"" SEVENTY "012345678\"... x\n");
	check_string(SEVENTY "0123456\xe2\x82\xacz", "f: \"" SEVENTY "0123456\xe2\x82\xac\"... x\n");
}

static void
test_long_numbers(void **state)
{
	struct mistakes mistakes = {.file = "f"};
	struct json_object *value = json_object_new_double_s(1e81, "1" SEVENTY TEN "0");

	mistakes_add_value(&mistakes, value, "x");
	json_object_put(value);
	CHECK_LINES(&mistakes, "f: 1" SEVENTY "012345678... x\n");
}

/* Routes share schemas: a broken one is told once. */
static void
test_json(void **state)
{
	static const struct json_mistake mistake = {.line = 3, .column = 7, .reason = "unexpected character"};
	static const struct json_mistake other = {.line = 3, .column = 77, .reason = "unexpected character"};
	struct mistakes mistakes = {.file = "f"};

	mistakes_enter(&mistakes, "schema");
	mistakes_add_json(&mistakes, "a.json", &mistake);
	mistakes_add_json(&mistakes, "b.json", &mistake);
	mistakes_add_json(&mistakes, "a.json", &mistake);
	mistakes_add_json(&mistakes, "a.json", &other);
	mistakes_add_json(&mistakes, "b.json", &mistake);
	assert_int_equal(mistakes.count, 3);
	CHECK_LINES(&mistakes, "a.json:3:7: unexpected character\nb.json:3:7: unexpected character\n"
			       "a.json:3:77: unexpected character\n");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pointer),
		cmocka_unit_test(test_leaving_an_empty_pointer),
		cmocka_unit_test(test_one_line),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_long_strings),
		cmocka_unit_test(test_long_numbers),
		cmocka_unit_test(test_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
