/* Tables of wire bytes and what the wire guard says of them, for the tests of its files. */
#pragma once

#include "tests/unit/server/http/guard/guard_trace.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#define GET "GET / HTTP/1.1\r\n"
#define POST "POST / HTTP/1.1\r\n"
#define HOST "Host: a\r\n"
#define CHUNKED POST HOST "Transfer-Encoding: chunked\r\n\r\n"
#define END "\r\n"

/* Bytes that may have NULs among them. */
#define BYTES(string) (string), sizeof(string) - 1

/* Wire bytes that are good, and then, in the same piece or another, ones that are refused at their first
 * byte. */
struct guard_case {
	const char *good;
	size_t good_len;
	const char *bad; /* empty: all is good */
	size_t bad_len;
	enum problem problem;
	unsigned requests;  /* that complete */
	const char *passed; /* NULL: all of good */
};

#define GOOD(count, wire) \
	{ \
		.good = (wire), .good_len = sizeof(wire) - 1, .bad = "", .requests = (count) \
	}
#define GOOD_AS(count, wire, seen) \
	{ \
		.good = (wire), .good_len = sizeof(wire) - 1, .bad = "", .requests = (count), \
		.passed = (seen) \
	}
#define BAD(before, from, reason) \
	{ \
		.good = (before), .good_len = sizeof(before) - 1, .bad = (from), \
		.bad_len = sizeof(from) - 1, .problem = PROBLEM_##reason \
	}

static const struct guard_limits guard_test_limits = {
	.max_target_bytes = 64,
	.max_line_bytes = 96,
	.max_header_bytes = 160,
	.max_header_count = 6,
	.max_chunk_ext_bytes = 24,
	.max_body_bytes = 100,
};

static inline void
guard_check_case(const struct guard_case *c, const struct guard_limits *limits)
{
	struct guard_trace trace;
	struct text wire = {0};
	const char *passed = c->passed ? c->passed : c->good;
	size_t passed_len = c->passed ? strlen(c->passed) : c->good_len;

	text_add(&wire, c->good, c->good_len);
	text_add(&wire, c->bad, c->bad_len);
	guard_trace_all_ways(&trace, limits, wire.data, wire.len);
	if (trace.fed != c->good_len || trace.guard.problem != c->problem || trace.end_count != c->requests ||
		trace.passed.len != passed_len ||
		(passed_len > 0 && memcmp(trace.passed.data, passed, passed_len) != 0))
		fail_msg("\"%s\": problem %s at byte %zu instead of %s at %zu, %u requests, passed \"%.*s\" "
			 "(%s)",
			wire.data, problem_name(trace.guard.problem), trace.fed, problem_name(c->problem),
			c->good_len, trace.end_count, (int)trace.passed.len,
			trace.passed.len ? trace.passed.data : "",
			trace.guard.reason ? trace.guard.reason : "");
	guard_trace_fini(&trace);
	text_fini(&wire);
}

#define guard_check_cases(cases) \
	for (size_t i = 0; i < sizeof(cases) / sizeof((cases)[0]); i++) \
	guard_check_case(&(cases)[i], &guard_test_limits)
