/* Tests of common/json/validator.c. */
#include "common/json/validator.h"

#include "common/json/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Fed whole, and byte by byte: the same is found. */
static struct json_validator *
judge(const char *data, size_t len)
{
	static struct json_validator whole, pieces;

	memset(&whole, 0, sizeof whole);
	memset(&pieces, 0, sizeof pieces);
	json_validator_feed(&whole, data, len);
	for (size_t i = 0; i < len; i++)
		json_validator_feed(&pieces, data + i, 1);
	assert_int_equal(json_validator_is_json(&whole), json_validator_is_json(&pieces));
	assert_int_equal(json_validator_is_object(&whole), json_validator_is_object(&pieces));
	assert_int_equal(json_validator_is_text(&whole), json_validator_is_text(&pieces));
	return &whole;
}

static void
test_json(void **state)
{
	static const char *const good[] = {"{}", "[]", "0", "-0", "7", "-12.5e+3", "0.0", "1E9", "1e-9",
		"true", "false", "null", "\"\"", "\"a\\u00e9\\n\\\\\\/\"",
		" { \"a\" : [ 1 , 2 , { } , [ ] ] , \"b\" : null } \n", "[[[]]]", "{\"a\":1,\"a\":2}",
		"\"\xc3\xa9 \xf0\x9f\x98\x80\"", "[1,\"]\",{\"}\":\"\\\"\"}]"};
	static const char *const bad[] = {"", " ", "{", "}", "[", "]", "[1,]", "{,}", "{\"a\"}", "{\"a\":}",
		"{\"a\":1,}", "{a:1}", "[1 2]", "1,2", "01", "-", "1.", ".5", "1e", "1e+", "+1", "tru",
		"truee", "nul", "\"", "\"\\x\"", "\"\\u12g4\"", "\"a\nb\"", "[}", "{]", "[1}", "{\"a\":1]",
		"[]]", "{} {}", "\xef\xbb\xbf{}", "'a'", "NaN", "\"\xc0\x80\"", "\"\xed\xa0\x80\"",
		"\"\xf4\x90\x80\x80\"", "\"\xe2\x82\"", "\"\xff\""};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		if (!json_validator_is_json(judge(good[i], strlen(good[i]))))
			fail_msg("%s is refused", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (json_validator_is_json(judge(bad[i], strlen(bad[i]))))
			fail_msg("%s is taken", bad[i]);
	assert_false(json_validator_is_json(judge("[1\0]", 4)));
}

static void
test_object(void **state)
{
	(void)state;
	assert_true(json_validator_is_object(judge(" {\"a\":[]}", 9)));
	assert_false(json_validator_is_object(judge("[{}]", 4)));
	assert_false(json_validator_is_object(judge("{\"a\":", 5)));
	assert_false(json_validator_is_object(judge("1", 1)));
}

static void
test_text(void **state)
{
	(void)state;
	assert_true(json_validator_is_text(judge("", 0)));
	assert_true(json_validator_is_text(judge("\x1b[1m\n\xc3\xa9", 7)));
	assert_false(json_validator_is_text(judge("a\0b", 3)));
	assert_false(json_validator_is_text(judge("\xc3", 1)));
	assert_false(json_validator_is_text(judge("a\xc3\xa9\xff", 4)));
}

/* One level more than the bits there are. */
static void
test_depth(void **state)
{
	char text[2 * (JSON_VALIDATOR_DEPTH_MAX + 1)];

	(void)state;
	for (size_t depth = JSON_VALIDATOR_DEPTH_MAX; depth <= JSON_VALIDATOR_DEPTH_MAX + 1; depth++) {
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		assert_int_equal(
			json_validator_is_json(judge(text, 2 * depth)), depth == JSON_VALIDATOR_DEPTH_MAX);
	}
}

/* What the parser takes, the validator takes, and the other way round but for repeated members. */
static void
test_same_as_parser(void **state)
{
	static const char alphabet[] = "{}[]\",:\\u0aet1-.+ \n";
	char text[9];
	uint32_t random = 12345;

	(void)state;
	for (unsigned n = 0; n < 200000; n++) {
		size_t len = 1 + n % 8;
		for (size_t i = 0; i < len; i++) {
			random = random * 1664525 + 1013904223;
			text[i] = alphabet[(random >> 16) % (sizeof alphabet - 1)];
		}
		text[len] = '\0';
		struct json_object *value = NULL;
		struct json_mistake mistake;
		int rc = json_parse(text, len, &value, &mistake);
		bool is_json = json_validator_is_json(judge(text, len));
		if (is_json != (rc == 0) && (rc == 0 || strcmp(mistake.reason, "repeated member") != 0))
			fail_msg("%s: %s", text, is_json ? mistake.reason : "only the validator refuses it");
		json_object_put(value);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_object),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_same_as_parser),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
