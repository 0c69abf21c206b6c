/* The wire guard's bodies: of known length, and in chunks. */
#include "tests/unit/server/http/guard/guard_cases.h"

#define CHUNK_BAD(before, from, reason) BAD(CHUNKED before, from, reason)

static void
test_sizes(void **state)
{
	static const struct guard_case cases[] = {
		GOOD(1, CHUNKED "1\r\na\r\n0\r\n\r\n"),
		GOOD(1, CHUNKED "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n"),
		GOOD(1, CHUNKED "0000000000000002\r\nab\r\n0000000000000000\r\n\r\n"),
		GOOD(1, CHUNKED "2\r\n\r\n\r\n0\r\n\r\n"),
		CHUNK_BAD("", "\r\n", BAD_REQUEST),
		CHUNK_BAD("", "\n", BAD_REQUEST),
		CHUNK_BAD("", ";a\r\n", BAD_REQUEST),
		CHUNK_BAD("", " 1\r\n", BAD_REQUEST),
		CHUNK_BAD("", "+1\r\n", BAD_REQUEST),
		CHUNK_BAD("", "-1\r\n", BAD_REQUEST),
		CHUNK_BAD("0", "x1\r\n", BAD_REQUEST),
		CHUNK_BAD("1", "g\r\n", BAD_REQUEST),
		CHUNK_BAD("1", "\n", BAD_REQUEST),
		CHUNK_BAD("1", "\0\r\n", BAD_REQUEST),
		CHUNK_BAD("1", "_0\r\n", BAD_REQUEST),
		CHUNK_BAD("1\r", "\r\n", BAD_REQUEST),
		CHUNK_BAD("1\r", "a", BAD_REQUEST),
		CHUNK_BAD("0000000000000000", "0\r\n", BAD_REQUEST),
		CHUNK_BAD("0000000000000001", "0\r\n", BAD_REQUEST),
	};

	guard_check_cases(cases);
}

static void
test_data_ends_in_a_crlf(void **state)
{
	static const struct guard_case cases[] = {
		CHUNK_BAD("2\r\nab", "c\r\n", BAD_REQUEST),
		CHUNK_BAD("2\r\nab", "\n", BAD_REQUEST),
		CHUNK_BAD("2\r\nab", "0\r\n", BAD_REQUEST),
		CHUNK_BAD("2\r\nab\r", "c", BAD_REQUEST),
		CHUNK_BAD("2\r\nab\r", "\r\n", BAD_REQUEST),
		CHUNK_BAD("2\r\nab\r\n", "\r\n", BAD_REQUEST),
		CHUNK_BAD("2\r\na\r", "\n0\r\n", BAD_REQUEST),
	};

	guard_check_cases(cases);
}

static void
test_sum_is_limited(void **state)
{
	static const struct guard_case cases[] = {
		GOOD(0, CHUNKED "64\r\n"),
		CHUNK_BAD("6", "5\r\n", CONTENT_TOO_LARGE),
		CHUNK_BAD("64", "0\r\n", CONTENT_TOO_LARGE),
		CHUNK_BAD("00000000f", "fffffff", CONTENT_TOO_LARGE),
		CHUNK_BAD("f", "fffffffffffffff", CONTENT_TOO_LARGE),
		CHUNK_BAD("2\r\nab\r\n6", "3\r\n", CONTENT_TOO_LARGE),
		GOOD(0, CHUNKED "2\r\nab\r\n62\r\n"),
	};
	static const struct guard_case large[] = {
		GOOD(0, CHUNKED "7fffffffffffffff\r\n"),
		CHUNK_BAD("800000000000000", "0\r\n", CONTENT_TOO_LARGE),
		CHUNK_BAD("1\r\na\r\n7ffffffffffffff", "f\r\n", CONTENT_TOO_LARGE),
	};
	struct guard_limits limits = guard_test_limits;

	assert_int_equal(limits.max_body_bytes, 0x64);
	guard_check_cases(cases);
	limits.max_body_bytes = UINT64_MAX;
	for (size_t i = 0; i < sizeof(large) / sizeof(large[0]); i++)
		guard_check_case(&large[i], &limits);
}

#define EXT(ext) GOOD_AS(1, CHUNKED "1" ext "\r\na\r\n0\r\n\r\n", CHUNKED "1\r\na\r\n0\r\n\r\n")
#define EXT_BAD(before, from) \
	{ \
		.good = CHUNKED "1" before, .good_len = sizeof(CHUNKED "1" before) - 1, .bad = (from), \
		.bad_len = sizeof(from) - 1, .problem = PROBLEM_BAD_REQUEST, .passed = CHUNKED "1" \
	}

static void
test_extensions_are_dropped(void **state)
{
	static const struct guard_case cases[] = {
		EXT(";a"),
		EXT(";a=b"),
		EXT(";a=b;c;d=e"),
		EXT(" ; a = b ;\tc"),
		EXT(";a=\"\""),
		EXT(";a=\"b;=\\\"\\\\ \t\x80\""),
		EXT(";a=\"b\" ;c"),
		EXT(";abcdefghijklmnopqrstuvw"),
		GOOD_AS(1, CHUNKED "0;a=b\r\nC: d\r\n\r\n", CHUNKED "0\r\n\r\n"),
	};

	guard_check_cases(cases);
}

static void
test_bad_extensions(void **state)
{
	static const struct guard_case cases[] = {
		EXT_BAD(" ", "\r\n"),
		EXT_BAD(" ", "a\r\n"),
		EXT_BAD("\t", "1\r\n"),
		EXT_BAD(";", "\r\n"),
		EXT_BAD(";", ";\r\n"),
		EXT_BAD("; ", "\r\n"),
		EXT_BAD(";", "=b\r\n"),
		EXT_BAD(";", "\"a\"\r\n"),
		EXT_BAD(";a", "\n"),
		EXT_BAD(";a ", "\r\n"),
		EXT_BAD(";a ", "b\r\n"),
		EXT_BAD(";a=", "\r\n"),
		EXT_BAD(";a=", ";b\r\n"),
		EXT_BAD(";a=b", "=c\r\n"),
		EXT_BAD(";a=b", "\"c\"\r\n"),
		EXT_BAD(";a=b ", "c\r\n"),
		EXT_BAD(";a=\"b", "\r\n"),
		EXT_BAD(";a=\"b\\", "\r\n"),
		EXT_BAD(";a=\"b", "\0"),
		EXT_BAD(";a=\"b\"", "c\r\n"),
		EXT_BAD(";a", "\0"),
		EXT_BAD(";a", "\x7f"),
		EXT_BAD(";a", "\x80"),
		EXT_BAD(";a", "/"),
		EXT_BAD(";abcdefghijklmnopqrstuvw", "x"),
		EXT_BAD(";a=\"bbbbbbbbbbbbbbbbbbbb", "\""),
	};

	guard_check_cases(cases);
	assert_int_equal(strlen(";abcdefghijklmnopqrstuvw"), guard_test_limits.max_chunk_ext_bytes);
}

static void
test_body_of_known_length(void **state)
{
	static const struct guard_case cases[] = {
		GOOD(1, POST HOST "Content-Length: 3\r\n\r\n\0\r\n"),
		GOOD(2, POST HOST "Content-Length: 3\r\n\r\nabc" POST HOST "Content-Length: 1\r\n\r\nd"),
		GOOD(0, POST HOST "Content-Length: 3\r\n\r\nab"),
		BAD(POST HOST "Content-Length: 3\r\n\r", "abc", BAD_REQUEST),
	};

	guard_check_cases(cases);
}

static void
test_body_bytes_are_counted(void **state)
{
	static const struct {
		const char *wire;
		bool in_body;
		uint64_t body_bytes;
	} cases[] = {
		{POST HOST "Content-Length: 3\r\n\r", false, 0},
		{POST HOST "Content-Length: 3\r\n\r\n", true, 0},
		{POST HOST "Content-Length: 3\r\n\r\nab", true, 2},
		{POST HOST "Content-Length: 3\r\n\r\nabc", false, 0},
		{CHUNKED, true, 0},
		{CHUNKED "3\r\nab", true, 2},
		{CHUNKED "3\r\nabc\r\n2\r\nd", true, 4},
		{CHUNKED "3\r\nabc\r\n0\r\nA: b\r\n", true, 3},
		{CHUNKED "3\r\nabc\r\n0\r\nA: b\r\n\r\n", false, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct guard_trace trace;

		guard_trace_all_ways(&trace, &guard_test_limits, cases[i].wire, strlen(cases[i].wire));
		assert_int_equal(trace.guard.in_body, cases[i].in_body);
		assert_int_equal(trace.guard.body_bytes, cases[i].body_bytes);
		guard_trace_fini(&trace);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_data_ends_in_a_crlf),
		cmocka_unit_test(test_sum_is_limited),
		cmocka_unit_test(test_extensions_are_dropped),
		cmocka_unit_test(test_bad_extensions),
		cmocka_unit_test(test_body_of_known_length),
		cmocka_unit_test(test_body_bytes_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
