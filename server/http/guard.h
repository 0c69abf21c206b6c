/*
 * The wire guard: a strict recogniser of HTTP/1.1 requests (RFC 9112), a pure function over bytes.
 *
 * Every byte that a client sends passes it before evhttp reads it, in pieces of any size, and it refuses at the first byte
 * that cannot be right.  What it has passed, evhttp must read as the same request: where evhttp would not (chunk extensions,
 * trailers, empty lines before a request line), the guard says which bytes to drop on the way.
 * It allocates nothing and knows nothing of sockets.
 */
#pragma once

#include "common/problem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct guard_limits {
	size_t max_target_bytes;    /* request target; longer: 414 */
	size_t max_line_bytes;	    /* one header or trailer line without its CRLF; longer: 431 */
	size_t max_header_bytes;    /* all header lines together; more: 431 (trailers the same) */
	unsigned max_header_count;  /* more: 431 (trailers the same) */
	size_t max_chunk_ext_bytes; /* extensions of one chunk; longer: 400 */
	uint64_t max_body_bytes;    /* Content-Length or the chunks' sum; more: 413 */
};

enum guard_verdict {
	GUARD_PASS,	/* the bytes used are good; more are wanted */
	GUARD_DROP,	/* the bytes used are good but evhttp must not see them */
	GUARD_COMPLETE, /* the bytes used are good and end a request; the next byte begins another */
	GUARD_REFUSE,	/* not HTTP as we speak it: guard->problem and guard->reason say why; stays refused */
};

/* What is known of the request so far; read-only for the caller.  (The implementer adds private members below.) */
struct guard {
	const struct guard_limits *limits;
	enum problem problem;  /* after GUARD_REFUSE */
	const char *reason;    /* after GUARD_REFUSE: a constant sentence for the problem's detail */
	bool began;	       /* a byte of this request has been seen */
	bool in_body;	       /* the header section is complete */
	uint64_t body_bytes;   /* of the body, seen so far */
	uint64_t private_[16]; /* to be replaced by real members */
};

/* limits must outlive the guard. */
void guard_init(struct guard *guard, const struct guard_limits *limits);

/* Feeds len > 0 bytes.  *ret_used (0 < used <= len, except 0 with GUARD_REFUSE) is how many of them the verdict is about;
 * the caller feeds the rest again.  After GUARD_COMPLETE the guard is ready for the next request. */
enum guard_verdict guard_feed(struct guard *guard, const char *data, size_t len, size_t *ret_used);
