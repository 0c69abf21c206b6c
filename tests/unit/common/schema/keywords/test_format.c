/* Formats of strings, beyond what schema_suite has. */
#include "common/schema/keywords/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LABEL_63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LOCAL_64 LABEL_63 "a"

static const struct {
	const char *format, *text;
	bool valid;
} cases[] = {
	{"date", "2024-02-29", true},
	{"date", "2023-02-29", false},
	{"date", "1900-02-29", false},
	{"date", "2000-02-29", true},
	{"date", "0000-01-01", true},
	{"date", "2024-00-01", false},
	{"date", "2024-01-00", false},
	{"date", "2024-01-01 ", false},
	{"date", "2024-01-0", false},
	{"date", "", false},
	{"date", "+024-01-01", false},
	{"time", "00:00:00Z", true},
	{"time", "00:00:00z", true},
	{"time", "23:59:59.999999999999999999999+23:59", true},
	{"time", "23:59:60Z", true},
	{"time", "00:59:60+01:00", true},
	{"time", "22:59:60-01:00", true},
	{"time", "23:59:60.5Z", true},
	{"time", "22:59:60Z", false},
	{"time", "12:00:00.Z", false},
	{"time", "12:00:00", false},
	{"time", "12:00:00+1:00", false},
	{"time", "12:00:00+01", false},
	{"time", "12:00:00+01:60", false},
	{"time", "24:00:00Z", false},
	{"time", "12:00:00Z ", false},
	{"date-time", "2024-02-29T12:00:00Z", true},
	{"date-time", "2024-02-29t12:00:00z", true},
	{"date-time", "2024-02-29 12:00:00Z", false},
	{"date-time", "2024-02-29T12:00:00", false},
	{"date-time", "2024-02-30T12:00:00Z", false},
	{"date-time", "2024-02-29T", false},
	{"date-time", "2016-12-31T23:59:60Z", true},
	{"duration", "P1Y2M3DT4H5M6S", true},
	{"duration", "P1W", true},
	{"duration", "PT1H", true},
	{"duration", "P10M", true},
	{"duration", "P1Y2D", false},
	{"duration", "PT1H2S", false},
	{"duration", "P1DT", false},
	{"duration", "P1DX", false},
	{"duration", "P1D1H", false},
	{"duration", "P1W1D", false},
	{"duration", "P1.5D", false},
	{"duration", "-P1D", false},
	{"duration", "P-1D", false},
	{"duration", "1D", false},
	{"duration", "PW", false},
	{"duration", "PTW", false},
	{"duration", "P1Y1Y", false},
	{"email", "a@b", true},
	{"email", LOCAL_64 "@b", true},
	{"email", LOCAL_64 "a@b", false},
	{"email", "\"a\\\"b\\\\\"@c", true},
	{"email", "\"a\\\\\"b\"@c", false},
	{"email", "\"a\"b\"@c", false},
	{"email", "\"a\\\"@c", false},
	{"email", "\"\"@c", true},
	{"email", "\"@c", false},
	{"email", "\"a\tb\"@c", false},
	{"email", "@b", false},
	{"email", "a@", false},
	{"email", "a", false},
	{"email", "a b@c", false},
	{"email", "a@b@c", false},
	{"email", "\xc3\xa4@b", false},
	{"email", "\"\xc3\xa4\"@b", false},
	{"email", "a@b_c", false},
	{"email", "a@[1.2.3.4]", true},
	{"email", "a@[ipv6:::1]", true},
	{"email", "a@[::1]", false},
	{"email", "a@[IPv6:1.2.3.4]", false},
	{"email", "a@[IPv6:]", false},
	{"email", "a@[]", false},
	{"email", "a@[", false},
	{"email", "a@[1.2.3.4", false},
	{"email", "a@[IPv6:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111]", false},
	{"hostname", "a", true},
	{"hostname", "1.2.3.4", true},
	{"hostname", "A-b.c--d", true},
	{"hostname", "", false},
	{"hostname", ".", false},
	{"hostname", "a.", false},
	{"hostname", ".a", false},
	{"hostname", "a..b", false},
	{"hostname", "a-.b", false},
	{"hostname", "a.-b", false},
	{"hostname", LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63, false},
	{"hostname",
		LABEL_63 "." LABEL_63 "." LABEL_63
			 ".aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		true},
	{"hostname",
		LABEL_63 "." LABEL_63 "." LABEL_63
			 ".aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		false},
	{"hostname", "\xc3\xa4", false},
	{"ipv4", "0.0.0.0", true},
	{"ipv4", "1.2.3.04", false},
	{"ipv4", "1.2.3.4 ", false},
	{"ipv4", "1.2.3", false},
	{"ipv4", "", false},
	{"ipv6", "::ffff:1.2.3.4", true},
	{"ipv6", "1::2::3", false},
	{"ipv6", "::1%lo", false},
	{"ipv6", "", false},
	{"uri", "urn:a", true},
	{"uri", "a/b", false},
	{"uuid", "123E4567-e89b-12d3-a456-426614174000", true},
	{"uuid", "123e4567-e89b-12d3-a456-42661417400", false},
	{"uuid", "123e4567-e89b-12d3-a456-4266141740000", false},
	{"uuid", "{123e4567-e89b-12d3-a456-426614174000}", false},
	{"uuid", "123e4567xe89b-12d3-a456-426614174000", false},
	{"json-pointer", "", true},
	{"json-pointer", "/~0~1", true},
	{"json-pointer", "/~", false},
	{"json-pointer", "/~2", false},
	{"json-pointer", "a", false},
	{"json-pointer", "#/a", false},
	{"regex", "^[a-z]+$", true},
	{"regex", "", true},
	{"regex", "(", false},
	{"regex", "\\a", false},
};

static void
judges(void **state)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct schema_format *format = schema_format_find(cases[i].format);
		assert_non_null(format);
		if (format->is_valid(cases[i].text, strlen(cases[i].text)) != cases[i].valid)
			fail_msg("%s: %s", cases[i].format, cases[i].text);
	}
}

/* What is valid is so no longer with a NUL, wherever it is; only a JSON Pointer and a pattern may have
 * one. */
static void
sees_a_nul(void **state)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct schema_format *format = schema_format_find(cases[i].format);
		size_t len = strlen(cases[i].text);
		char text[512];
		if (!cases[i].valid || strcmp(format->name, "json-pointer") == 0 ||
			strcmp(format->name, "regex") == 0)
			continue;
		for (size_t at = 0; at <= len; at++) {
			memcpy(text, cases[i].text, at);
			text[at] = '\0';
			strcpy(text + at + 1, cases[i].text + at);
			if (format->is_valid(text, len + 1))
				fail_msg("%s: %s with a NUL at %zu", format->name, cases[i].text, at);
		}
	}
}

static void
knows_no_others(void **state)
{
	assert_null(schema_format_find("iri"));
	assert_null(schema_format_find(""));
	assert_null(schema_format_find("Date"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges),
		cmocka_unit_test(sees_a_nul),
		cmocka_unit_test(knows_no_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
