/*
 * What the wire guard said of a whole connection's bytes, however they were cut, for tests to compare.
 * Feeding checks what holds for every input: how much a call uses, and that what is refused stays refused.
 */
#pragma once

#include "common/text.h"
#include "http/guard/guard.h"

#include <assert.h>
#include <string.h>

enum { GUARD_TRACE_ENDS = 256 };

struct guard_trace {
	struct guard guard;
	struct text passed;	       /* what evhttp is to see */
	size_t fed;		       /* bytes that were passed or dropped */
	size_t dropped;		       /* of them */
	size_t ends[GUARD_TRACE_ENDS]; /* of the first complete requests: how many bytes had been fed */
	size_t passed_ends[GUARD_TRACE_ENDS]; /* and how many had been passed */
	unsigned end_count;		      /* complete requests, those without room in ends too */
	bool refused;			      /* then fed is where */
};

static inline void
guard_trace_init(struct guard_trace *trace, const struct guard_limits *limits)
{
	memset(trace, 0, sizeof(*trace));
	guard_init(&trace->guard, limits);
}

static inline void
guard_trace_fini(struct guard_trace *trace)
{
	text_fini(&trace->passed);
}

static inline void
guard_trace_complete(struct guard_trace *trace)
{
	const struct guard *guard = &trace->guard;

	assert(!guard->began && !guard->in_body && guard->body_bytes == 0);
	if (trace->end_count < GUARD_TRACE_ENDS) {
		trace->ends[trace->end_count] = trace->fed;
		trace->passed_ends[trace->end_count] = trace->passed.len;
	}
	trace->end_count++;
}

static inline void
guard_trace_refused(struct guard_trace *trace)
{
	struct guard *guard = &trace->guard;
	const char *reason = guard->reason;
	enum problem problem = guard->problem;
	size_t used = 1;

	assert(problem > PROBLEM_NONE && problem <= PROBLEM_VERSION_NOT_SUPPORTED);
	assert(reason && *reason);
	assert(guard_feed(guard, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27, &used) == GUARD_REFUSE);
	assert(used == 0 && guard->problem == problem && guard->reason == reason);
	trace->refused = true;
}

/* Feeds one piece, as often as it takes. */
static inline void
guard_trace_feed(struct guard_trace *trace, const char *data, size_t len)
{
	while (len > 0 && !trace->refused) {
		size_t used = SIZE_MAX;
		enum guard_verdict verdict = guard_feed(&trace->guard, data, len, &used);

		assert(verdict == GUARD_REFUSE ? used == 0 : used > 0 && used <= len);
		if (verdict == GUARD_DROP)
			trace->dropped += used;
		else
			text_add(&trace->passed, data, used);
		trace->fed += used;
		data += used;
		len -= used;
		assert(trace->fed == trace->passed.len + trace->dropped);
		if (verdict == GUARD_COMPLETE)
			guard_trace_complete(trace);
		else if (verdict == GUARD_REFUSE)
			guard_trace_refused(trace);
	}
}

static inline void
guard_trace_assert_equal(const struct guard_trace *a, const struct guard_trace *b)
{
	assert(a->fed == b->fed && a->dropped == b->dropped && a->refused == b->refused);
	assert(a->passed.len == b->passed.len);
	assert(a->passed.len == 0 || memcmp(a->passed.data, b->passed.data, a->passed.len) == 0);
	assert(a->end_count == b->end_count);
	assert(memcmp(a->ends, b->ends, sizeof(a->ends)) == 0);
	assert(memcmp(a->passed_ends, b->passed_ends, sizeof(a->passed_ends)) == 0);
	if (a->refused) {
		assert(a->guard.problem == b->guard.problem && a->guard.reason == b->guard.reason);
	} else {
		assert(a->guard.began == b->guard.began && a->guard.in_body == b->guard.in_body);
		assert(a->guard.body_bytes == b->guard.body_bytes);
	}
}

/* Feeds pieces of piece bytes, after a first one of first bytes if that is not 0. */
static inline void
guard_trace_pieces(struct guard_trace *trace, const char *data, size_t len, size_t first, size_t piece)
{
	size_t at = 0;

	if (first > 0) {
		guard_trace_feed(trace, data, first);
		at = first;
	}
	for (; at < len; at += piece)
		guard_trace_feed(trace, data + at, len - at < piece ? len - at : piece);
}

static inline void
guard_trace_check_pieces(
	const struct guard_trace *whole, const char *data, size_t len, size_t first, size_t piece)
{
	struct guard_trace trace;

	guard_trace_init(&trace, whole->guard.limits);
	guard_trace_pieces(&trace, data, len, first, piece);
	guard_trace_assert_equal(whole, &trace);
	guard_trace_fini(&trace);
}

/* What was passed must itself be good as it is: nothing of it is dropped, and it ends the same requests at
 * the same places. */
static inline void
guard_trace_check_passed(const struct guard_trace *trace)
{
	struct guard_trace again;

	guard_trace_init(&again, trace->guard.limits);
	guard_trace_feed(&again, trace->passed.data, trace->passed.len);
	assert(!again.refused && again.dropped == 0 && again.end_count == trace->end_count);
	assert(memcmp(again.ends, trace->passed_ends, sizeof(again.ends)) == 0);
	guard_trace_fini(&again);
}

/* Feeds data whole, split once at every byte, and byte by byte, and asserts that all of it is the same.
 * The caller finishes ret_trace. */
static inline void
guard_trace_all_ways(
	struct guard_trace *ret_trace, const struct guard_limits *limits, const char *data, size_t len)
{
	guard_trace_init(ret_trace, limits);
	guard_trace_feed(ret_trace, data, len);
	for (size_t at = 1; at < len; at++)
		guard_trace_check_pieces(ret_trace, data, len, at, len);
	guard_trace_check_pieces(ret_trace, data, len, 0, 1);
	guard_trace_check_passed(ret_trace);
}
