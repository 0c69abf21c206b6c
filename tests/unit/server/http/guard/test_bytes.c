/* The wire guard's classes of bytes, against the characters that the RFCs list. */
#include "http/guard/private.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */
#include <string.h>

#define ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define SUB_DELIMS "!$&'()*+,;="

static void
test_classes(void **state)
{
	static const struct {
		uint8_t class;
		const char *bytes;
	} classes[] = {
		{BYTE_TOKEN, ALNUM "!#$%&'*+-.^_`|~"},
		{BYTE_BLANK, " \t"},
		{BYTE_DIGIT, "0123456789"},
		{BYTE_HEX, "0123456789abcdefABCDEF"},
		{BYTE_PATH, ALNUM "-_~" SUB_DELIMS ":@[]^|"},
		{BYTE_QUERY, ALNUM "-._~" SUB_DELIMS ":@/?[]{|}^`\\"},
		{BYTE_HOST, ALNUM "-._~" SUB_DELIMS},
	};

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		for (int c = 0; c < 256; c++) {
			bool in = c != 0 && strchr(classes[i].bytes, c) != NULL;
			if (guard_is((uint8_t)c, classes[i].class) != in)
				fail_msg("byte 0x%02x and class 0x%02x", c, classes[i].class);
		}
}

static void
test_values(void **state)
{
	for (int c = 0; c < 256; c++)
		assert_int_equal(guard_is((uint8_t)c, BYTE_VALUE), c == '\t' || (c >= 0x20 && c != 0x7f));
}

static void
test_skip_stops_at_the_first_other_byte(void **state)
{
	uint8_t bytes[16];

	memset(bytes, '1', sizeof(bytes));
	for (size_t len = 0; len <= sizeof(bytes); len++)
		for (size_t other = 0; other <= len; other++) {
			if (other < len)
				bytes[other] = 'x';
			assert_ptr_equal(guard_skip(bytes, bytes + len, BYTE_DIGIT), bytes + other);
			if (other < len)
				bytes[other] = '1';
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_skip_stops_at_the_first_other_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
