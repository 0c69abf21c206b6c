/* Tests of common/text.c. */
#include "common/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
test_add(void **state)
{
	struct text text = {0};

	text_add(&text, NULL, 0);
	assert_string_equal(text.data, "");
	text_add(&text, "a\0b", 3);
	assert_int_equal(text.len, 3);
	assert_memory_equal(text.data, "a\0b", 4);
	text_clear(&text);
	assert_int_equal(text.len, 0);
	assert_string_equal(text.data, "");
	text_add_string(&text, "one");
	text_add_char(&text, ' ');
	text_addf(&text, "%d%s", 2, "");
	text_addf(&text, "%s", "");
	assert_string_equal(text.data, "one 2");
	text_fini(&text);
	assert_null(text.data);
	assert_int_equal(text.len, 0);
	text_fini(&text);
	text_clear(&text);
	assert_null(text.data);
}

/* Every length at which the buffer might have to grow, whichever way the bytes come. */
static void
test_growth(void **state)
{
	struct text chars = {0}, formatted = {0};
	char expected[301];

	for (size_t len = 1; len < sizeof expected; len++) {
		struct text whole = {0};
		char c = (char)('a' + len % 26);

		memset(expected, 0, sizeof expected);
		if (chars.len > 0)
			memcpy(expected, chars.data, chars.len);
		expected[len - 1] = c;
		text_add_char(&chars, c);
		text_addf(&formatted, "%c", c);
		text_add(&whole, expected, len);
		assert_int_equal(chars.len, len);
		assert_string_equal(chars.data, expected);
		assert_string_equal(formatted.data, expected);
		assert_string_equal(whole.data, expected);
		text_fini(&whole);
	}
	text_fini(&chars);
	text_fini(&formatted);
}

static void
test_take_and_reserve(void **state)
{
	struct text text = {0};
	char *taken = text_take(&text);

	assert_string_equal(taken, "");
	free(taken);
	memcpy(text_reserve(&text, 5000), "x", 2);
	text.len += 1;
	assert_true(text.size > 5000);
	taken = text_take(&text);
	assert_string_equal(taken, "x");
	assert_null(text.data);
	assert_int_equal(text.size, 0);
	free(taken);
}

static void
test_new_memory(void **state)
{
	char *copy = xstrndup("abc\0def", 7), *formatted = xasprintf("%s-%d", "x", 7),
	     *empty = xstrndup(NULL, 0);
	unsigned char *zeros = xcalloc(10, 10), *none = xcalloc(0, 0);

	assert_memory_equal(copy, "abc\0def", 8);
	assert_string_equal(formatted, "x-7");
	assert_string_equal(empty, "");
	assert_null(xstrdup(NULL));
	for (int i = 0; i < 100; i++)
		assert_int_equal(zeros[i], 0);
	assert_non_null(none);
	free(copy);
	free(formatted);
	free(empty);
	free(zeros);
	free(none);
}

static void
test_json(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		const char *json;
	} cases[] = {
		{"", 0, "\"\""},
		{"plain", 5, "\"plain\""},
		{"\"\\/", 3, "\"\\\"\\\\/\""},
		{"\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\""},
		{"\0\x01\x1f\x7f", 4, "\"\\u0000\\u0001\\u001f\x7f\""},
		{"a\nb", 3, "\"a\\nb\""},
		{"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9, "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
		{"\xff", 1, "\"\xef\xbf\xbd\""},
		{"a\xc3", 2, "\"a\xef\xbf\xbd\""},
		{"\xc3(", 2, "\"\xef\xbf\xbd(\""},
		{"\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
		{"\xe2\x82", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\""},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct text text = {0};

		text_add_json_bytes(&text, cases[i].data, cases[i].len);
		assert_string_equal(text.data, cases[i].json);
		text_clear(&text);
		text_add_json(&text, cases[i].data);
		assert_true(text_is_utf8(text.data, text.len));
		text_fini(&text);
	}
}

static void
test_json_null(void **state)
{
	struct text text = {0};

	text_add_json(&text, NULL);
	text_add_json(&text, "x");
	assert_string_equal(text.data, "null\"x\"");
	text_fini(&text);
}

/* By each byte: which are tchars. */
static void
test_token(void **state)
{
	static const char tchars[] = "!#$%&'*+-.^_`|~0123456789"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

	assert_false(text_is_token("", 0));
	assert_true(text_is_token("X-Y", 3));
	assert_false(text_is_token("X Y", 3));
	assert_false(text_is_token("XY:", 3));
	assert_true(text_is_token("XY:", 2));
	for (int byte = 0; byte < 256; byte++) {
		char c = (char)byte;
		bool expected = byte != 0 && strchr(tchars, c);

		assert_int_equal(text_is_token(&c, 1), expected);
	}
}

/* Every code point and every pair of bytes, against the definition (RFC 3629, 3). */
static void
test_utf8(void **state)
{
	for (uint32_t point = 0; point < 0x120000; point++) {
		bool expected = point < 0x110000 && (point < 0xd800 || point > 0xdfff);
		char bytes[4];
		size_t len = 0;

		if (point < 0x80) {
			bytes[len++] = (char)point;
		} else if (point < 0x800) {
			bytes[len++] = (char)(0xc0 | point >> 6);
		} else if (point < 0x10000) {
			bytes[len++] = (char)(0xe0 | point >> 12);
			bytes[len++] = (char)(0x80 | (point >> 6 & 0x3f));
		} else {
			bytes[len++] = (char)(0xf0 | point >> 18);
			bytes[len++] = (char)(0x80 | (point >> 12 & 0x3f));
			bytes[len++] = (char)(0x80 | (point >> 6 & 0x3f));
		}
		if (point >= 0x80)
			bytes[len++] = (char)(0x80 | (point & 0x3f));
		if (text_is_utf8(bytes, len) != expected)
			fail_msg("U+%04X", point);
		if (len > 1 && text_is_utf8(bytes, len - 1))
			fail_msg("U+%04X cut short", point);
	}
}

static void
test_not_utf8(void **state)
{
	static const char *const cases[] = {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3\xc3",
		"\xe0\x80\x80", "\xe0\x9f\xbf", "\xe2\x82", "\xe2(\xa1", "\xed\xa0\x80", "\xed\xbf\xbf",
		"\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
		"\xf8\x88\x80\x80\x80", "\xfe", "\xff", "ok\xc3\xa9\xff", "\xc3\xa9\xa9"};

	assert_true(text_is_utf8("", 0));
	assert_true(text_is_utf8("a\0b", 3));
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (text_is_utf8(cases[i], strlen(cases[i])))
			fail_msg("case %zu", i);
}

static void
test_equal_nocase(void **state)
{
	static const struct {
		const char *a, *b;
		bool expected;
	} cases[] = {
		{"", "", true},
		{"a", "", false},
		{"", "a", false},
		{"Content-Type", "content-TYPE", true},
		{"Content-Typ", "Content-Type", false},
		{"Content-Type", "Content-Typ", false},
		{"@[`{", "@[`{", true},
		{"@", "`", false},
		{"[", "{", false},
		{"\xc4", "\xe4", false},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(
			text_equal_nocase(cases[i].a, strlen(cases[i].a), cases[i].b), cases[i].expected);
	assert_false(text_equal_nocase("a\0b", 3, "a"));
	assert_true(text_equal_nocase("abc", 2, "AB"));
}

static void
test_hex_value(void **state)
{
	static const char digits[] = "0123456789abcdef";

	for (int byte = 0; byte < 256; byte++) {
		int lower = byte >= 'A' && byte <= 'F' ? byte + 32 : byte;
		const char *at = lower ? strchr(digits, lower) : NULL;

		assert_int_equal(text_hex_value((char)byte), at ? at - digits : -1);
	}
}

static void
test_percent_decode(void **state)
{
	static const struct {
		const char *data;
		bool plus;
		const char *expected; /* NULL: refused */
	} cases[] = {
		{"", false, ""},
		{"abc", false, "abc"},
		{"%41", false, "A"},
		{"%e2%82%AC", false, "\xe2\x82\xac"},
		{"a%2Fb%2fc", false, "a/b/c"},
		{"%25%34%31", false, "%41"},
		{"a+b", false, "a+b"},
		{"a+b%2B", true, "a b+"},
		{"%ff", false, "\xff"},
		{"%", false, NULL},
		{"%4", false, NULL},
		{"a%", false, NULL},
		{"a%4", false, NULL},
		{"%g1", false, NULL},
		{"%1g", false, NULL},
		{"%%41", false, NULL},
		{"% 41", false, NULL},
		{"%+1", true, NULL},
		{"%-1", false, NULL},
		{"%00", false, NULL},
		{"a%00b", true, NULL},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t len = strlen(cases[i].data), decoded_len = 99;
		char *data = malloc(len + !len),
		     *decoded = malloc(len + 1); /* exactly as large as promised */
		int rc;

		memcpy(data, cases[i].data, len);
		rc = text_percent_decode(data, len, cases[i].plus, decoded, &decoded_len);
		if (cases[i].expected) {
			assert_int_equal(rc, 0);
			assert_int_equal(decoded_len, strlen(cases[i].expected));
			assert_string_equal(decoded, cases[i].expected);
		} else {
			assert_int_equal(rc, -EINVAL);
			assert_int_equal(decoded_len, 99);
		}
		free(data);
		free(decoded);
	}
	char decoded[4];
	size_t decoded_len;
	assert_int_equal(text_percent_decode("a\0b", 3, false, decoded, &decoded_len), -EINVAL);
}

static void
test_nearest(void **state)
{
	static const char *const names[] = {
		"listen", "admin", "workers", "queue_timeout", "run_timeout", "keep", NULL};
	static const char *const none[] = {NULL};
	static const struct {
		const char *word, *nearest;
	} cases[] = {
		{"listen", "listen"},
		{"Listen", "listen"},
		{"lisen", "listen"},
		{"listten", "listen"},
		{"worker", "workers"},
		{"wrokers", "workers"},
		{"queue-timeout", "queue_timeout"},
		{"queueTimeout", "queue_timeout"},
		{"kep", "keep"},
		{"zzzzzz", NULL},
		{"certificate", NULL},
		{"", NULL},
	};
	char longest[200];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *nearest = text_nearest(cases[i].word, names);

		if (cases[i].nearest)
			assert_string_equal(nearest, cases[i].nearest);
		else
			assert_null(nearest);
	}
	assert_null(text_nearest("listen", none));
	for (size_t len = 0; len < sizeof longest; len++) {
		const char *const same[] = {longest, NULL};

		memset(longest, 'x', len);
		longest[len] = '\0';
		assert_true(text_nearest(longest, same) == longest || len > 63);
	}
}

static void
test_parse_uint(void **state)
{
	static const struct {
		const char *data;
		uint64_t max;
		int error;
		uint64_t value;
	} cases[] = {
		{"0", 0, 0, 0},
		{"1", 0, -ERANGE, 0},
		{"9", 5, -ERANGE, 0},
		{"10", 10, 0, 10},
		{"11", 10, -ERANGE, 0},
		{"19", 10, -ERANGE, 0},
		{"100", 10, -ERANGE, 0},
		{"007", 7, 0, 7},
		{"18446744073709551615", UINT64_MAX, 0, UINT64_MAX},
		{"18446744073709551616", UINT64_MAX, -ERANGE, 0},
		{"18446744073709551620", UINT64_MAX, -ERANGE, 0},
		{"99999999999999999999999999", UINT64_MAX, -ERANGE, 0},
		{"00000000000000000000000001", UINT64_MAX, 0, 1},
		{"9223372036854775808", INT64_MAX, -ERANGE, 0},
		{"", UINT64_MAX, -EINVAL, 0},
		{" 1", UINT64_MAX, -EINVAL, 0},
		{"1 ", UINT64_MAX, -EINVAL, 0},
		{"-1", UINT64_MAX, -EINVAL, 0},
		{"+1", UINT64_MAX, -EINVAL, 0},
		{"0x1", UINT64_MAX, -EINVAL, 0},
		{"1.0", UINT64_MAX, -EINVAL, 0},
		{"99999999999999999999999999x", UINT64_MAX, -EINVAL, 0},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint64_t value = 77;
		int rc = text_parse_uint(cases[i].data, strlen(cases[i].data), cases[i].max, &value);

		assert_int_equal(rc, cases[i].error);
		assert_int_equal(value, rc == 0 ? cases[i].value : 77);
	}
}

static void
test_uint(void **state)
{
	static const uint64_t values[] = {0, 9, 10, 4294967296, UINT64_MAX};
	struct text text = {0};

	(void)state;
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		text_add_uint(&text, values[i]);
		text_add_char(&text, ' ');
	}
	assert_string_equal(text.data, "0 9 10 4294967296 18446744073709551615 ");
	text_fini(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uint),
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_take_and_reserve),
		cmocka_unit_test(test_new_memory),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_null),
		cmocka_unit_test(test_token),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_not_utf8),
		cmocka_unit_test(test_equal_nocase),
		cmocka_unit_test(test_hex_value),
		cmocka_unit_test(test_percent_decode),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_parse_uint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
