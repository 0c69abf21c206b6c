/* The wire guard's request line. */
#include "tests/unit/server/http/guard/guard_cases.h"

#define LINE(target) "GET " target " HTTP/1.1\r\n" HOST END

static void
test_methods(void **state)
{
	static const struct guard_case cases[] = {
		GOOD(1, "GET / HTTP/1.1\r\n" HOST END),
		GOOD(1, "HEAD / HTTP/1.1\r\n" HOST END),
		GOOD(1, "POST / HTTP/1.1\r\n" HOST END),
		GOOD(1, "PUT / HTTP/1.1\r\n" HOST END),
		GOOD(1, "PATCH / HTTP/1.1\r\n" HOST END),
		GOOD(1, "DELETE / HTTP/1.1\r\n" HOST END),
		GOOD(1, "OPTIONS / HTTP/1.1\r\n" HOST END),
		BAD("TRACE", " / HTTP/1.1\r\n", NOT_IMPLEMENTED),
		BAD("CONNECT", " a:80 HTTP/1.1\r\n", NOT_IMPLEMENTED),
		BAD("get", " / HTTP/1.1\r\n", NOT_IMPLEMENTED),
		BAD("GE", " / HTTP/1.1\r\n", NOT_IMPLEMENTED),
		BAD("GETS", " / HTTP/1.1\r\n", NOT_IMPLEMENTED),
		BAD("PRI", " * HTTP/2.0\r\n\r\nSM\r\n\r\n", NOT_IMPLEMENTED),
		BAD("PROPFIN", "D / HTTP/1.1\r\n", NOT_IMPLEMENTED),
		BAD("OPTIONS", "S / HTTP/1.1\r\n", NOT_IMPLEMENTED),
		BAD("AAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAA", NOT_IMPLEMENTED),
		BAD("", " GET / HTTP/1.1\r\n", BAD_REQUEST),
		BAD("", "\tGET / HTTP/1.1\r\n", BAD_REQUEST),
		BAD("GET", "\t/ HTTP/1.1\r\n", BAD_REQUEST),
		BAD("GET", "\r\n\r\n", BAD_REQUEST),
		BAD("GET", "\n", BAD_REQUEST),
		BAD("", "\0GET / HTTP/1.1\r\n", BAD_REQUEST),
		BAD("GE", "\0T / HTTP/1.1\r\n", BAD_REQUEST),
		BAD("", "\x16\x03\x01\x02", BAD_REQUEST),
		BAD("", "\xc3\x89 / HTTP/1.1\r\n", BAD_REQUEST),
		BAD("", "{\"a\":1}", BAD_REQUEST),
	};

	guard_check_cases(cases);
}

static void
test_empty_line_before(void **state)
{
	static const struct guard_case cases[] = {
		GOOD_AS(1, "\r\n" GET HOST END, GET HOST END),
		GOOD_AS(2, GET HOST END "\r\n" GET HOST END, GET HOST END GET HOST END),
		GOOD_AS(0, "\r\n", ""),
		GOOD_AS(0, "\r", ""),
		{.good = "\r\n",
			.good_len = 2,
			.bad = "\r\n",
			.bad_len = 2,
			.problem = PROBLEM_BAD_REQUEST,
			.passed = ""},
		{.good = "\r",
			.good_len = 1,
			.bad = "GET",
			.bad_len = 3,
			.problem = PROBLEM_BAD_REQUEST,
			.passed = ""},
		{.good = "\r",
			.good_len = 1,
			.bad = "\r\n",
			.bad_len = 2,
			.problem = PROBLEM_BAD_REQUEST,
			.passed = ""},
		{.good = "\r\n",
			.good_len = 2,
			.bad = " ",
			.bad_len = 1,
			.problem = PROBLEM_BAD_REQUEST,
			.passed = ""},
		BAD("", "\n" GET HOST END, BAD_REQUEST),
	};

	guard_check_cases(cases);
}

static void
test_targets(void **state)
{
	static const struct guard_case cases[] = {
		GOOD(1, LINE("/")),
		GOOD(1, LINE("/a/b/c")),
		GOOD(1, LINE("/a//b/")),
		GOOD(1, LINE("/-._~!$&'()*+,;=:@azAZ09/%20%7e%FF")),
		GOOD(1, LINE("/?")),
		GOOD(1, LINE("/?a=b&c[0]={x|y}&d=/?:@!$'()*+,;-._~")),
		GOOD(1, LINE("/a?/../%2e%2e/./")),
		GOOD(1, LINE("/a?//")),
		GOOD(1, LINE("/[a]|^?[x]{y}|^`\\")),
		BAD("GET ", " / HTTP/1.1", BAD_REQUEST),
		BAD("GET ", "* HTTP/1.1", BAD_REQUEST),
		BAD("GET ", "a HTTP/1.1", BAD_REQUEST),
		BAD("GET ", "?a HTTP/1.1", BAD_REQUEST),
		BAD("GET ", "%2f HTTP/1.1", BAD_REQUEST),
		BAD("GET ", "\r\n", BAD_REQUEST),
		BAD("GET /", "/evil/a HTTP/1.1", BAD_REQUEST),
		BAD("GET /", "\r\n", BAD_REQUEST),
		BAD("GET /", "\n", BAD_REQUEST),
		BAD("GET /", "\t", BAD_REQUEST),
		BAD("GET /", "\0", BAD_REQUEST),
		BAD("GET /", "\x7f", BAD_REQUEST),
		BAD("GET /", "\x80", BAD_REQUEST),
		BAD("GET /a?b", "\xff", BAD_REQUEST),
		BAD("GET /a?b", "\r\n", BAD_REQUEST),
		BAD("GET /a?b", "\0", BAD_REQUEST),
		BAD("GET /a", "#b HTTP/1.1", BAD_REQUEST),
		BAD("GET /a?", "#b HTTP/1.1", BAD_REQUEST),
	};
	static const char barred_in_path[] = "\"<>\\`{}#";
	static const char barred_in_query[] = "\"<>#";

	guard_check_cases(cases);
	for (const char *c = barred_in_path; *c; c++)
		guard_check_case(&(struct guard_case){.good = "GET /a",
					 .good_len = 6,
					 .bad = c,
					 .bad_len = 1,
					 .problem = PROBLEM_BAD_REQUEST},
			&guard_test_limits);
	for (const char *c = barred_in_query; *c; c++)
		guard_check_case(&(struct guard_case){.good = "GET /a?b",
					 .good_len = 8,
					 .bad = c,
					 .bad_len = 1,
					 .problem = PROBLEM_BAD_REQUEST},
			&guard_test_limits);
}

/* Absolute targets: what is passed is a path, and the Host field need not be the same. */
static void
test_absolute_targets(void **state)
{
	static const struct guard_case cases[] = {
		GOOD_AS(1, LINE("http://b/c?d"), LINE("/c?d")),
		GOOD_AS(1, LINE("https://b.example:8443/c"), LINE("/c")),
		GOOD_AS(1, LINE("HTTP://[::1]:80/"), LINE("/")),
		GOOD_AS(1, LINE("hTTps://b%41.c"), LINE("/")),
		GOOD_AS(1, LINE("http://b:80"), LINE("/")),
		GOOD_AS(1, LINE("http://b:?d"), LINE("/?d")),
		GOOD_AS(2, LINE("http://b/") LINE("/c"), LINE("/") LINE("/c")),
		{.good = "GET http://",
			.good_len = 11,
			.bad = "/ HTTP/1.1",
			.bad_len = 10,
			.problem = PROBLEM_BAD_REQUEST,
			.passed = "GET /"},
		{.good = "GET http://b/",
			.good_len = 13,
			.bad = "/c",
			.bad_len = 2,
			.problem = PROBLEM_BAD_REQUEST,
			.passed = "GET /"},
		{.good = "GET http://b/..",
			.good_len = 15,
			.bad = " ",
			.bad_len = 1,
			.problem = PROBLEM_BAD_REQUEST,
			.passed = "GET /.."},
		{.good = "GET http://b",
			.good_len = 12,
			.bad = "@c/",
			.bad_len = 3,
			.problem = PROBLEM_BAD_REQUEST,
			.passed = "GET /"},
		{.good = "GET http://b:",
			.good_len = 13,
			.bad = "x",
			.bad_len = 1,
			.problem = PROBLEM_BAD_REQUEST,
			.passed = "GET /"},
		{.good = "GET http:/",
			.good_len = 10,
			.bad = "b/",
			.bad_len = 2,
			.problem = PROBLEM_BAD_REQUEST,
			.passed = "GET "},
		{.good = "GET http",
			.good_len = 8,
			.bad = "x://b/",
			.bad_len = 6,
			.problem = PROBLEM_BAD_REQUEST,
			.passed = "GET "},
		{.good = "GET h",
			.good_len = 5,
			.bad = "ost:80 ",
			.bad_len = 7,
			.problem = PROBLEM_BAD_REQUEST,
			.passed = "GET "},
		BAD("GET ", "ftp://b/", BAD_REQUEST),
	};

	guard_check_cases(cases);
}

/* The limit counts what is dropped as well. */
static void
test_absolute_target_limit(void **state)
{
	static const struct guard_limits tight = {.max_target_bytes = 12,
		.max_line_bytes = 96,
		.max_header_bytes = 160,
		.max_header_count = 6,
		.max_body_bytes = 1};
	static const struct guard_case cases[] = {
		GOOD_AS(1, LINE("http://b/cde"), LINE("/cde")),
		GOOD_AS(1, LINE("http://b:808"), LINE("/")),
		{.good = "GET http://b/cde",
			.good_len = 16,
			.bad = "f",
			.bad_len = 1,
			.problem = PROBLEM_URI_TOO_LONG,
			.passed = "GET /cde"},
		{.good = "GET http://b:808",
			.good_len = 16,
			.bad = "/",
			.bad_len = 1,
			.problem = PROBLEM_URI_TOO_LONG,
			.passed = "GET /"},
	};
	struct guard_limits limits = tight;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		guard_check_case(&cases[i], &tight);
	for (limits.max_target_bytes = 1; limits.max_target_bytes < 12; limits.max_target_bytes++) {
		struct guard_trace trace;
		guard_trace_all_ways(&trace, &limits, "GET http://b/cde HTTP/1.1\r\n", 27);
		assert_int_equal(trace.guard.problem, PROBLEM_URI_TOO_LONG);
		assert_int_equal(trace.fed, 4 + limits.max_target_bytes);
		guard_trace_fini(&trace);
	}
}

static void
test_asterisk(void **state)
{
	static const struct guard_case cases[] = {
		GOOD(1, "OPTIONS * HTTP/1.1\r\n" HOST END),
		GOOD(2, "OPTIONS * HTTP/1.0\r\n" END LINE("/")),
		BAD("OPTIONS *", "/ HTTP/1.1", BAD_REQUEST),
		BAD("OPTIONS *", "* HTTP/1.1", BAD_REQUEST),
		BAD("OPTIONS *", "\r\n", BAD_REQUEST),
		BAD("PUT ", "* HTTP/1.1", BAD_REQUEST),
	};

	guard_check_cases(cases);
}

static void
test_escapes(void **state)
{
	static const struct guard_case cases[] = {
		GOOD(1, LINE("/%2541")),
		GOOD(1, LINE("/%10%01%0a?%10%01%0A")),
		GOOD(1, LINE("/%2F%2fa")),
		BAD("GET /%", " HTTP/1.1", BAD_REQUEST),
		BAD("GET /%4", " HTTP/1.1", BAD_REQUEST),
		BAD("GET /%", "g0 HTTP/1.1", BAD_REQUEST),
		BAD("GET /%0", "0 HTTP/1.1", BAD_REQUEST),
		BAD("GET /%", "%41 HTTP/1.1", BAD_REQUEST),
		GOOD(1, LINE("/a?%")),
		GOOD(1, LINE("/a?%a")),
		GOOD(1, LINE("/a?%u0041&b=%a&c=%%41%%%")),
		GOOD(1, LINE("/a?%0g%0")),
		BAD("GET /a?%", "#", BAD_REQUEST),
		BAD("GET /a?%4", "\"", BAD_REQUEST),
		BAD("GET /a?%%0", "0", BAD_REQUEST),
		BAD("GET /a?%0", "0", BAD_REQUEST),
		BAD("GET /a?%41%0", "0", BAD_REQUEST),
	};

	guard_check_cases(cases);
}

static void
test_dot_segments(void **state)
{
	static const struct guard_case cases[] = {
		GOOD(1, LINE("/...")),
		GOOD(1, LINE("/.a/..a/a./a../.../a..b")),
		GOOD(1, LINE("/%2ea/%2e%2E./.%41/..%20")),
		GOOD(1, LINE("/a/;/..;")),
		BAD("GET /.", " HTTP/1.1", BAD_REQUEST),
		BAD("GET /..", " HTTP/1.1", BAD_REQUEST),
		BAD("GET /.", "/a", BAD_REQUEST),
		BAD("GET /..", "/a", BAD_REQUEST),
		BAD("GET /.", "?a", BAD_REQUEST),
		BAD("GET /..", "?a", BAD_REQUEST),
		BAD("GET /a/.", "/b", BAD_REQUEST),
		BAD("GET /a/..", "/b", BAD_REQUEST),
		BAD("GET /a//..", " HTTP/1.1", BAD_REQUEST),
		BAD("GET /%2e", " HTTP/1.1", BAD_REQUEST),
		BAD("GET /%2E%2e", "/a", BAD_REQUEST),
		BAD("GET /.%2e", "?", BAD_REQUEST),
		BAD("GET /%2e.", "/", BAD_REQUEST),
		BAD("GET /a/%2e", "/", BAD_REQUEST),
		BAD("GET /a%2f..", "/", BAD_REQUEST),
		BAD("GET /a/..%2", "f", BAD_REQUEST),
		BAD("GET /..%2", "F..%2Fetc", BAD_REQUEST),
	};

	guard_check_cases(cases);
}

static void
test_target_limit(void **state)
{
	static const char most[] =
		"/bbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggghhh"; /* 64 bytes */
	struct text line = {0};

	assert_int_equal(sizeof(most) - 1, guard_test_limits.max_target_bytes);
	text_addf(&line, "GET %s HTTP/1.1\r\n" HOST END, most);
	guard_check_case(
		&(struct guard_case){.good = line.data, .good_len = line.len, .bad = "", .requests = 1},
		&guard_test_limits);
	/* where the limit falls: into a path, a query, an escape, on what begins any of them */
	static const char *const ends[] = {"h", "?", "%41", "/", ".", "\"", "\r", "\x80"};
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		guard_check_case(&(struct guard_case){.good = line.data,
					 .good_len = 68,
					 .bad = ends[i],
					 .bad_len = strlen(ends[i]),
					 .problem = PROBLEM_URI_TOO_LONG},
			&guard_test_limits);
	line.data[6] = '?';
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		guard_check_case(&(struct guard_case){.good = line.data,
					 .good_len = 68,
					 .bad = ends[i],
					 .bad_len = strlen(ends[i]),
					 .problem = PROBLEM_URI_TOO_LONG},
			&guard_test_limits);
	line.data[67] = '%';
	guard_check_case(&(struct guard_case){.good = line.data,
				 .good_len = 68,
				 .bad = "41",
				 .bad_len = 2,
				 .problem = PROBLEM_URI_TOO_LONG},
		&guard_test_limits);
	line.data[66] = '%';
	line.data[67] = '4';
	guard_check_case(&(struct guard_case){.good = line.data,
				 .good_len = 68,
				 .bad = "1",
				 .bad_len = 1,
				 .problem = PROBLEM_URI_TOO_LONG},
		&guard_test_limits);
	text_fini(&line);
}

static void
test_versions(void **state)
{
	static const struct guard_case cases[] = {
		GOOD(1, "GET / HTTP/1.0\r\n\r\n"),
		GOOD(1, "GET / HTTP/1.0\r\n" HOST "\r\n"),
		GOOD(0, "GET / HTTP/1.1\r\n"),
		BAD("GET / HTTP/1.", "2\r\n", VERSION_NOT_SUPPORTED),
		BAD("GET / HTTP/1.", "9\r\n", VERSION_NOT_SUPPORTED),
		BAD("GET / HTTP/2.", "0\r\n", VERSION_NOT_SUPPORTED),
		BAD("GET / HTTP/0.", "9\r\n", VERSION_NOT_SUPPORTED),
		BAD("GET / HTTP/0.", "1\r\n", VERSION_NOT_SUPPORTED),
		BAD("GET / HTTP/1.1", "0\r\n", BAD_REQUEST),
		BAD("GET / HTTP/1.1", " \r\n", BAD_REQUEST),
		BAD("GET / HTTP/1.1", "\n", BAD_REQUEST),
		BAD("GET / HTTP/1.1\r", "\r\n", BAD_REQUEST),
		BAD("GET / HTTP/1.1\r", "Host", BAD_REQUEST),
		BAD("GET / HTTP/1.", "\r\n", BAD_REQUEST),
		BAD("GET / HTTP/1", "\r\n", BAD_REQUEST),
		BAD("GET / HTTP/", "-1.1\r\n", BAD_REQUEST),
		BAD("GET / HTTP/", " 1.1\r\n", BAD_REQUEST),
		BAD("GET / HTTP/", "x.1\r\n", BAD_REQUEST),
		BAD("GET / HTTP/1", "1.1\r\n", BAD_REQUEST),
		BAD("GET / HTTP", "S/1.1\r\n", BAD_REQUEST),
		BAD("GET / H", "ttp/1.1\r\n", BAD_REQUEST),
		BAD("GET / ", "http/1.1\r\n", BAD_REQUEST),
		BAD("GET / ", " HTTP/1.1\r\n", BAD_REQUEST),
		BAD("GET / ", "\r\n", BAD_REQUEST),
		BAD("GET / ", "b HTTP/1.1\r\n", BAD_REQUEST),
		BAD("GET / HTTP/", "\0", BAD_REQUEST),
	};

	guard_check_cases(cases);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_empty_line_before),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_absolute_targets),
		cmocka_unit_test(test_absolute_target_limit),
		cmocka_unit_test(test_asterisk),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_dot_segments),
		cmocka_unit_test(test_target_limit),
		cmocka_unit_test(test_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
