/* Decimals: reading, comparing, remainders. */
#include "common/schema/engine/number.h"

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* As json_parse() would make it of a text with a fraction or an exponent. */
static struct json_object *
number(const char *text)
{
	return json_object_new_double_s(0, text);
}

static void
read_number(const char *text, struct schema_number *ret_number, struct json_object **ret_value)
{
	*ret_value = number(text);
	schema_number_read(*ret_value, ret_number);
}

static int
sign(int value)
{
	return (value > 0) - (value < 0);
}

static void
compares(void **state)
{
	/* in ascending order; of one line all are equal */
	static const char *const ladder[][4] = {
		{"-1e1000000000000000", "-1e99999999999999999999"},
		{"-1e500"},
		{"-123.456", "-123456e-3", "-0.123456E+3", "-123.45600"},
		{"-123.455"},
		{"-0.1"},
		{"-1e-400"},
		{"0", "-0", "0.000", "0e77"},
		{"1e-500", "0.1e-499"},
		{"1e-400"},
		{"0.1", "0.10", "1e-1", "100e-3"},
		{"0.1000000000000000055511151231257827"},
		{"1", "1.0", "10e-1", "0.001e3"},
		{"1.00000000000000000000000000000001"},
		{"9"},
		{"10", "1e1"},
		{"18446744073709551615"},
		{"18446744073709551616", "18446744073709551616.0", "1844674407370955161.6e1"},
		{"18446744073709551617"},
		{"1e500", "10e499"},
		{"1e1000000000000000"},
	};
	const size_t rungs = sizeof ladder / sizeof *ladder;

	for (size_t i = 0; i < rungs * 4; i++)
		for (size_t j = 0; j < rungs * 4; j++) {
			const char *a_text = ladder[i / 4][i % 4], *b_text = ladder[j / 4][j % 4];
			struct schema_number a, b;
			struct json_object *a_value, *b_value;
			if (!a_text || !b_text)
				continue;
			read_number(a_text, &a, &a_value);
			read_number(b_text, &b, &b_value);
			int wanted = (i / 4 > j / 4) - (i / 4 < j / 4);
			if (sign(schema_number_compare(&a, &b)) != wanted)
				fail_msg("%s and %s", a_text, b_text);
			json_object_put(a_value);
			json_object_put(b_value);
		}
}

static void
reads_what_has_no_text(void **state)
{
	const struct {
		struct json_object *value;
		const char *same;
	} cases[] = {
		{json_object_new_int64(0), "0"},
		{json_object_new_int64(-1), "-1"},
		{json_object_new_int64(1200), "1200"},
		{json_object_new_int64(INT64_MAX), "9223372036854775807"},
		{json_object_new_int64(INT64_MIN), "-9223372036854775808"},
		{json_object_new_uint64(UINT64_MAX), "18446744073709551615"},
		{json_object_new_uint64((uint64_t)INT64_MAX + 1), "9223372036854775808"},
		{json_object_new_double(0.1), "0.1"},
		{json_object_new_double(-0.0), "0"},
		{json_object_new_double(1e300), "1e300"},
		{json_object_new_double(5e-324), "5e-324"},
		{json_object_new_double(0.1 + 0.2), "0.30000000000000004"},
		{json_object_new_double(1.7976931348623157e308), "1.7976931348623157e308"},
		{json_object_new_double((double)INFINITY), "1e9999"},
		{json_object_new_double((double)-INFINITY), "-1e9999"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct schema_number a, b;
		struct json_object *same;
		schema_number_read(cases[i].value, &a);
		read_number(cases[i].same, &b, &same);
		assert_int_equal(schema_number_compare(&a, &b), 0);
		json_object_put(same);
		json_object_put(cases[i].value);
	}
}

static void
knows_integers_and_counts(void **state)
{
	static const struct {
		const char *text;
		bool is_integer;
		int rc;
		uint64_t count;
	} cases[] = {
		{"0", true, 0, 0},
		{"0.0", true, 0, 0},
		{"-0.0", true, 0, 0},
		{"12.0", true, 0, 12},
		{"1.2e1", true, 0, 12},
		{"1.25e1", false, -EINVAL, 0},
		{"1e-1", false, -EINVAL, 0},
		{"-5", true, -EINVAL, 0},
		{"18446744073709551615", true, 0, UINT64_MAX},
		{"18446744073709551610", true, 0, UINT64_MAX - 5},
		{"18446744073709551620", true, 0, UINT64_MAX},
		{"99999999999999999999999", true, 0, UINT64_MAX},
		{"1e999999999999", true, 0, UINT64_MAX},
		{"0e999999999999", true, 0, 0},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct schema_number a;
		struct json_object *value;
		uint64_t count = 0;
		read_number(cases[i].text, &a, &value);
		assert_int_equal(schema_number_is_integer(&a), cases[i].is_integer);
		assert_int_equal(schema_number_to_count(&a, &count), cases[i].rc);
		assert_int_equal(count, cases[i].count);
		json_object_put(value);
	}
}

static void
finds_multiples(void **state)
{
	static const struct {
		const char *text, *divisor;
		bool is_multiple;
	} cases[] = {
		{"0", "7", true},
		{"0.0075", "0.0001", true},
		{"0.00751", "0.0001", false},
		{"1e308", "0.123456789", false},
		{"12391239123", "1e-8", true},
		{"35", "1.5", false},
		{"4.5", "1.5", true},
		{"-4.5", "1.5", true},
		{"1e308", "0.5", true},
		{"10", "100", false},
		{"1000", "100", true},
		{"1e1000000000000000", "3", false},
		{"3e1000000000000000", "3", true},
		{"1e1000000000000000", "1024", true},
		{"12345678910111213141516171819202122", "2", true},
		{"12345678910111213141516171819202123", "2", false},
		{"340282366920938463426481119284349108225", "18446744073709551615", true},
		{"340282366920938463426481119284349108226", "18446744073709551615", false},
		{"0.3333333333333333333333333333333333333", "0.1111111111111111", false},
		{"7", "1", true},
		{"7.5", "1", false},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct schema_number a, divisor;
		struct json_object *value, *divisor_value;
		uint64_t significand;
		read_number(cases[i].text, &a, &value);
		read_number(cases[i].divisor, &divisor, &divisor_value);
		assert_int_equal(schema_number_significand(&divisor, &significand), 0);
		if (schema_number_is_multiple(&a, significand, divisor.exponent) != cases[i].is_multiple)
			fail_msg("%s of %s", cases[i].text, cases[i].divisor);
		json_object_put(value);
		json_object_put(divisor_value);
	}
}

static void
refuses_long_significands(void **state)
{
	static const struct {
		const char *text;
		int rc;
	} cases[] = {{"18446744073709551615", 0}, {"0.18446744073709551615", 0},
		{"18446744073709551617", -ERANGE}, {"1e100", 0}, {"100000000000000000000000001", -ERANGE}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct schema_number a;
		struct json_object *value;
		uint64_t significand;
		read_number(cases[i].text, &a, &value);
		assert_int_equal(schema_number_significand(&a, &significand), cases[i].rc);
		json_object_put(value);
	}
}

struct words {
	char text[128];
};

static void
add_word(uint64_t word, uint64_t power, void *arg)
{
	struct words *words = arg;
	size_t len = strlen(words->text);

	snprintf(words->text + len, sizeof words->text - len, "%ju/%ju ", (uintmax_t)word, (uintmax_t)power);
}

static void
gives_digits_by_words(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"0", ""},
		{"1200", "12/100 "},
		{"-1.0203", "10203/100000 "},
		{"123456789012345678", "123456789012345678/1000000000000000000 "},
		{"123456789012.3456780", "123456789012345678/1000000000000000000 "},
		{"1000000000000000000000000000002",
			"100000000000000000/1000000000000000000 2/10000000000000 "},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct schema_number a;
		struct json_object *value;
		struct words words = {""};
		read_number(cases[i].text, &a, &value);
		schema_number_each_word(&a, add_word, &words);
		assert_string_equal(words.text, cases[i].words);
		json_object_put(value);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares),
		cmocka_unit_test(reads_what_has_no_text),
		cmocka_unit_test(knows_integers_and_counts),
		cmocka_unit_test(finds_multiples),
		cmocka_unit_test(refuses_long_significands),
		cmocka_unit_test(gives_digits_by_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
