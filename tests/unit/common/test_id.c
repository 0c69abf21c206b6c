/* Tests of common/id.c. */
#include "common/id.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GOOD "01234567-89ab-4def-8123-456789abcdef"

static void
test_parse_and_format(void **state)
{
	static const uint8_t bytes[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0x4d, 0xef, 0x81, 0x23, 0x45,
		0x67, 0x89, 0xab, 0xcd, 0xef};
	char text[ID_TEXT_SIZE];
	struct id id, upper;

	assert_int_equal(id_parse(GOOD, 36, &id), 0);
	assert_memory_equal(id.bytes, bytes, 16);
	id_format(&id, text);
	assert_string_equal(text, GOOD);
	assert_int_equal(id_parse("01234567-89AB-4DEF-8123-456789ABcdef", 36, &upper), 0);
	assert_true(id_equal(&id, &upper));
	/* Any variant and version is read: what is not ours is not found. */
	assert_int_equal(id_parse("ffffffff-ffff-ffff-ffff-ffffffffffff", 36, &id), 0);
	id_format(&id, text);
	assert_string_equal(text, "ffffffff-ffff-ffff-ffff-ffffffffffff");
	assert_false(id_equal(&id, &upper));
}

static void
test_not_ids(void **state)
{
	static const char *const cases[] = {"", "0", "0123456789ab4def8123456789abcdef", GOOD "0",
		"{" GOOD "}", "01234567-89ab-4def-8123-456789abcde", "01234567-89ab-4def-8123-456789abcdeg",
		"g1234567-89ab-4def-8123-456789abcdef", "0123456-789ab-4def-8123-456789abcdef",
		"01234567_89ab_4def_8123_456789abcdef", "01234567-89ab-4def-8123-456789abcd\xe9",
		"01234567-89ab-4def-8123--56789abcdef", " 1234567-89ab-4def-8123-456789abcdef",
		"012345678-9ab-4def-8123-456789abcdef", "01234567-89ab-4def-8123-456789abcde ",
		"------------------------------------"};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t len = strlen(cases[i]);
		char *text = malloc(len + !len); /* without a NUL: nothing beyond len is read */
		struct id id, before;

		memset(&id, 0x5a, sizeof id);
		before = id;
		memcpy(text, cases[i], len);
		assert_int_equal(id_parse(text, len, &id), -EINVAL);
		assert_true(id_equal(&id, &before));
		free(text);
	}
	struct id id;
	assert_int_equal(id_parse("01234567-89ab-4def-8123-456789abcde\0", 36, &id), -EINVAL);
}

/* One wrong character at any place. */
static void
test_each_place(void **state)
{
	static const char wrong[] = "/:@G`g- \t\n.%";
	struct id id;

	for (size_t at = 0; at < 36; at++)
		for (const char *c = wrong; *c; c++) {
			char text[ID_TEXT_SIZE] = GOOD;

			if (text[at] == *c)
				continue;
			text[at] = *c;
			assert_int_equal(id_parse(text, 36, &id), -EINVAL);
		}
}

/* Version 4 and variant 10; every other bit is now set, now clear. */
static void
test_generate(void **state)
{
	uint8_t ones[16] = {0}, zeros[16] = {0};
	struct id id, last = {{0}};

	for (int i = 0; i < 1000; i++) {
		char text[ID_TEXT_SIZE];

		id_generate(&id);
		assert_false(id_equal(&id, &last));
		last = id;
		id_format(&id, text);
		assert_int_equal(text[14], '4');
		assert_non_null(strchr("89ab", text[19]));
		for (int j = 0; j < 16; j++) {
			ones[j] |= id.bytes[j];
			zeros[j] |= (uint8_t)~id.bytes[j];
		}
	}
	for (int j = 0; j < 16; j++) {
		assert_int_equal(ones[j], j == 6 ? 0x4f : j == 8 ? 0xbf : 0xff);
		assert_int_equal(zeros[j], j == 6 ? 0xbf : j == 8 ? 0x7f : 0xff);
	}
}

static void
test_random_bytes(void **state)
{
	enum { SIZE = 100000 };
	uint8_t *bytes = calloc(1, SIZE + 1);
	unsigned seen[256] = {0};

	random_bytes(bytes, 0);
	assert_int_equal(bytes[0], 0);
	random_bytes(bytes, SIZE);
	assert_int_equal(bytes[SIZE], 0);
	for (int i = 0; i < SIZE; i++)
		seen[bytes[i]]++;
	for (int i = 0; i < 256; i++)
		assert_in_range(seen[i], SIZE / 256 / 2, SIZE / 256 * 2);
	free(bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_and_format),
		cmocka_unit_test(test_not_ids),
		cmocka_unit_test(test_each_place),
		cmocka_unit_test(test_generate),
		cmocka_unit_test(test_random_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
