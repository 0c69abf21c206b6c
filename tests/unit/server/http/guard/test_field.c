/* The wire guard's header and trailer lines: their form and their limits. */
#include "tests/unit/server/http/guard/guard_cases.h"

static void
test_lines(void **state)
{
	static const struct guard_case cases[] = {
		GOOD(1, GET HOST "A: b\r\n!#$%&'*+-.^_`|~09azAZ: x\r\n" END),
		GOOD(1, GET HOST "A:\r\nB: \r\nC:   \r\nD:x\r\nE: x   \r\n" END),
		GOOD(1, GET HOST "A: x y\tz  \t\r\n" END),
		GOOD(1, GET HOST "A: \"q\" <(;,=>)[]{}\\@/?:^`\r\n" END),
		GOOD(1, GET HOST "A: \x80\xff\xc3\xa9\r\n" END),
		GOOD(1, GET HOST "A: :b:\r\n" END),
		BAD(GET HOST, ": b\r\n", BAD_REQUEST),
		BAD(GET HOST, "\xc3: b\r\n", BAD_REQUEST),
		BAD(GET HOST, "\0: b\r\n", BAD_REQUEST),
		BAD(GET HOST, "\n", BAD_REQUEST),
		BAD(GET HOST "\r", "\r\n", BAD_REQUEST),
		BAD(GET HOST "\r", "A: b\r\n", BAD_REQUEST),
		BAD(GET HOST "A", " : b\r\n", BAD_REQUEST),
		BAD(GET HOST "A", "\t: b\r\n", BAD_REQUEST),
		BAD(GET HOST "A", "\r\n", BAD_REQUEST),
		BAD(GET HOST "A", "\n", BAD_REQUEST),
		BAD(GET HOST "A", "(b): c\r\n", BAD_REQUEST),
		BAD(GET HOST "A", "\0", BAD_REQUEST),
		BAD(GET HOST "A", "\x80: b\r\n", BAD_REQUEST),
		BAD(GET "Content-Length", " : 5\r\n", BAD_REQUEST),
		BAD(GET HOST "A: b", "\n", BAD_REQUEST),
		BAD(GET HOST "A: b\r", "c\r\n", BAD_REQUEST),
		BAD(GET HOST "A: b\r", "\r\n", BAD_REQUEST),
		BAD(GET HOST "A: b", "\0c\r\n", BAD_REQUEST),
		BAD(GET HOST "A: b", "\x01", BAD_REQUEST),
		BAD(GET HOST "A: b", "\x0b", BAD_REQUEST),
		BAD(GET HOST "A: b", "\x1f", BAD_REQUEST),
		BAD(GET HOST "A: b", "\x7f", BAD_REQUEST),
		BAD(GET HOST "A:", "\n", BAD_REQUEST),
		BAD(GET HOST "A: ", "\0", BAD_REQUEST),
	};

	guard_check_cases(cases);
}

static void
test_folding(void **state)
{
	static const struct guard_case cases[] = {
		BAD(GET HOST "A: b\r\n", " c\r\n", BAD_REQUEST),
		BAD(GET HOST "A: b\r\n", "\tc\r\n", BAD_REQUEST),
		BAD(GET HOST "A:\r\n", " b\r\n", BAD_REQUEST),
		BAD(GET, " Host: a\r\n", BAD_REQUEST),
		BAD(GET HOST, " \r\n", BAD_REQUEST),
	};

	guard_check_cases(cases);
}

/* evhttp skips spaces before a value, but not tabs. */
static void
test_tabs_before_a_value_are_dropped(void **state)
{
	static const struct guard_case cases[] = {
		GOOD_AS(1, GET HOST "A:\tb\r\n" END, GET HOST "A:b\r\n" END),
		GOOD_AS(1, GET HOST "A: \t b\tc\t\r\n" END, GET HOST "A: b\tc\t\r\n" END),
		GOOD_AS(1, GET HOST "A:\t\t \t\r\n" END, GET HOST "A:\r\n" END),
		GOOD_AS(1, GET "Host:\ta\r\n" END, GET "Host:a\r\n" END),
		GOOD_AS(1, POST HOST "Content-Length: \t2\t \r\n" END "ab",
			POST HOST "Content-Length: 2\t \r\n" END "ab"),
		GOOD_AS(0, GET HOST "A: \t", GET HOST "A: "),
		{.good = GET HOST "A:\t",
			.good_len = sizeof(GET HOST "A:\t") - 1,
			.bad = "\n",
			.bad_len = 1,
			.problem = PROBLEM_BAD_REQUEST,
			.passed = GET HOST "A:"},
	};

	guard_check_cases(cases);
}

#define B10 "bbbbbbbbbb"
#define B40 B10 B10 B10 B10
#define LINE96 "A: " B40 B40 B10 "bbb"

static void
test_line_limit(void **state)
{
	static const struct guard_case cases[] = {
		GOOD(1, GET HOST LINE96 "\r\n" END),
		BAD(GET HOST LINE96, "b\r\n", HEADER_TOO_LARGE),
		BAD(GET HOST LINE96, " \r\n", HEADER_TOO_LARGE),
		BAD(GET HOST LINE96, "\n", HEADER_TOO_LARGE),
		BAD(GET HOST B40 B40 B10 "bbbbbb", "b", HEADER_TOO_LARGE),
		BAD(GET HOST B40 B40 B10 "bbbbbb", ":", HEADER_TOO_LARGE),
		GOOD(1, GET HOST B40 B40 B10 "bbbbb:\r\n" END),
		BAD(GET HOST B40 B40 B10 "bbbbb:", " ", HEADER_TOO_LARGE),
		BAD(GET HOST B40 B40 B10 "bbbbb:", "\t", HEADER_TOO_LARGE),
		BAD(GET HOST B40 B40 B10 "bbbb: ", " ", HEADER_TOO_LARGE),
		BAD(GET "Host: " B40 B40 B10, "b", HEADER_TOO_LARGE),
		BAD(GET "Host: b" B40 B40 "         ", " ", HEADER_TOO_LARGE),
	};

	guard_check_cases(cases);
	assert_int_equal(strlen(LINE96), guard_test_limits.max_line_bytes);
}

static void
test_dropped_blanks_count(void **state)
{
	static const struct guard_case cases[] = {
		{.good = GET HOST B40 B40 B10 "bb:\t\t\t",
			.good_len = sizeof(GET HOST B40 B40 B10 "bb:\t\t\t") - 1,
			.bad = " ",
			.bad_len = 1,
			.problem = PROBLEM_HEADER_TOO_LARGE,
			.passed = GET HOST B40 B40 B10 "bb:"},
	};

	guard_check_cases(cases);
}

static void
test_section_limit(void **state)
{
	static const struct guard_case cases[] = {
		/* 7 + 96 + 57 = 160 */
		GOOD(1, GET HOST LINE96 "\r\nB: " B40 B10 "bbbb\r\n" END),
		BAD(GET HOST LINE96 "\r\nB: " B40 B10 "bbbb", "b", HEADER_TOO_LARGE),
		BAD(GET HOST LINE96 "\r\nB: " B40 B10 "bbbb\r\n", "C:\r\n", HEADER_TOO_LARGE),
		/* what one request used does not count for the next */
		GOOD(2, GET HOST LINE96 "\r\n" END GET HOST LINE96 "\r\n" END),
	};

	assert_int_equal(guard_test_limits.max_header_bytes, 160);
	for (size_t i = 0; i < 2; i++)
		guard_check_case(&cases[i], &guard_test_limits);
	guard_check_case(&cases[3], &guard_test_limits);
	guard_check_case(
		&(struct guard_case)BAD(GET HOST LINE96 "\r\nB: " B40 B10 "bbbb\r\nC", ":", HEADER_TOO_LARGE),
		&(struct guard_limits){.max_target_bytes = 9,
			.max_line_bytes = 96,
			.max_header_bytes = 161,
			.max_header_count = 9});
	guard_check_case(&cases[2], &(struct guard_limits){.max_target_bytes = 9,
					    .max_line_bytes = 96,
					    .max_header_bytes = 200,
					    .max_header_count = 3});
}

static void
test_count_limit(void **state)
{
	static const struct guard_case cases[] = {
		GOOD(1, GET HOST "A:\r\nB:\r\nC:\r\nD:\r\nE:\r\n" END),
		BAD(GET HOST "A:\r\nB:\r\nC:\r\nD:\r\nE:\r\n", "F:\r\n", HEADER_TOO_LARGE),
		GOOD_AS(1, CHUNKED "0\r\nA:\r\nB:\r\nC:\r\nD:\r\nE:\r\nF:\r\n" END, CHUNKED "0\r\n" END),
		{.good = CHUNKED "0\r\nA:\r\nB:\r\nC:\r\nD:\r\nE:\r\nF:\r\n",
			.good_len = sizeof(CHUNKED "0\r\nA:\r\nB:\r\nC:\r\nD:\r\nE:\r\nF:\r\n") - 1,
			.bad = "G",
			.bad_len = 1,
			.problem = PROBLEM_HEADER_TOO_LARGE,
			.passed = CHUNKED "0\r\n"},
	};

	guard_check_cases(cases);
}

#define TRAILER_BAD(before, from, reason) \
	{ \
		.good = CHUNKED "0\r\n" before, .good_len = sizeof(CHUNKED "0\r\n" before) - 1, \
		.bad = (from), .bad_len = sizeof(from) - 1, .problem = PROBLEM_##reason, \
		.passed = CHUNKED "0\r\n" \
	}

static void
test_trailers(void **state)
{
	static const struct guard_case cases[] = {
		GOOD(1, CHUNKED "0\r\n\r\n"),
		GOOD_AS(1, CHUNKED "0\r\nX-Sum: 12\r\n\r\n", CHUNKED "0\r\n\r\n"),
		GOOD_AS(1, CHUNKED "0\r\nA:\t b\t\r\nHostess: c\r\n\r\n", CHUNKED "0\r\n\r\n"),
		GOOD_AS(1, CHUNKED "0\r\n" LINE96 "\r\n\r\n", CHUNKED "0\r\n\r\n"),
		GOOD_AS(2, CHUNKED "0\r\nA: b\r\n\r\n\r\n" GET HOST END, CHUNKED "0\r\n\r\n" GET HOST END),
		TRAILER_BAD("Host", ": a\r\n", BAD_REQUEST),
		TRAILER_BAD("Content-Length", ": 5\r\n", BAD_REQUEST),
		TRAILER_BAD("transfer-encoding", ":\r\n", BAD_REQUEST),
		TRAILER_BAD("X: y\r\nAUTHORIZATION", ": b\r\n", BAD_REQUEST),
		TRAILER_BAD("Proxy-Authorization", ":", BAD_REQUEST),
		TRAILER_BAD("Cookie", ":", BAD_REQUEST),
		TRAILER_BAD("Content-Type", ":", BAD_REQUEST),
		TRAILER_BAD("Trailer", ":", BAD_REQUEST),
		TRAILER_BAD("TE", ":", BAD_REQUEST),
		TRAILER_BAD("A", " : b\r\n", BAD_REQUEST),
		TRAILER_BAD("A: b", "\0", BAD_REQUEST),
		TRAILER_BAD("A: b", "\n", BAD_REQUEST),
		TRAILER_BAD("A: b\r\n", " c\r\n", BAD_REQUEST),
		TRAILER_BAD("", "\n", BAD_REQUEST),
		TRAILER_BAD("", " ", BAD_REQUEST),
		TRAILER_BAD(LINE96, "b", HEADER_TOO_LARGE),
		TRAILER_BAD(LINE96 "\r\nB: " B40 B10 "bbbbbbbbbbb", "b", HEADER_TOO_LARGE),
		BAD(CHUNKED "0\r\n\r", "\r\n", BAD_REQUEST),
		BAD(CHUNKED "0\r\n\r", "A: b\r\n", BAD_REQUEST),
	};

	guard_check_cases(cases);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_folding),
		cmocka_unit_test(test_tabs_before_a_value_are_dropped),
		cmocka_unit_test(test_line_limit),
		cmocka_unit_test(test_dropped_blanks_count),
		cmocka_unit_test(test_section_limit),
		cmocka_unit_test(test_count_limit),
		cmocka_unit_test(test_trailers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
