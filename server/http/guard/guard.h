/*
 * The wire guard: a strict recogniser of HTTP/1.1 requests (RFC 9112), a pure function over bytes.
 *
 * The guard sees every byte that a client sends before evhttp does, in pieces of any size, and refuses at the
 * first byte that cannot be right.  evhttp must read the passed bytes as the same request: where it would not
 * (chunk extensions, trailers, empty lines before a request line, tabs before a value, the scheme and host of an
 * absolute target), the guard says which bytes to drop.  It allocates nothing and knows nothing of sockets.
 *
 * Beyond the grammar, a request must satisfy these rules:
 * - at most one empty line before a request line, and every line ends in CR LF;
 * - GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS (501 for other tokens), HTTP/1.0 and HTTP/1.1 (505 for
 *   others);
 * - a target that is a path and perhaps a query: RFC 3986, and what browsers leave as it is ("[]^|" in the path,
 *   "[]^|`{}\" and percent signs that begin no escape in the query), which does not begin with "//" and has no
 *   "%00" and no dot segments, however escaped (an escaped slash ends a segment here);
 *   before it perhaps "http://" or "https://", a host and a port (RFC 9112, 3.2.2); or "*" for OPTIONS;
 * - no folded lines, no blank before a colon; one Host (HTTP/1.0: at most one) with a host and perhaps a
 *   port;
 * - one Content-Length of digits alone, or one Transfer-Encoding (501 if it is not chunked; not in HTTP/1.0),
 *   never both, and with HEAD no body at all; no Expect but 100-continue (417);
 * - chunk sizes of at most 16 digits, chunk extensions as RFC 9112 has them, no trailers that frame, route or
 *   authenticate.
 */
#pragma once

#include "common/http/problem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct guard_limits {
	size_t max_target_bytes; /* request target; longer: 414 */
	size_t max_line_bytes;	 /* one header or trailer line without its CRLF; longer: 431 */
	size_t max_header_bytes; /* all header lines together, without CRLFs; more: 431 (trailers the same) */
	unsigned max_header_count;  /* more: 431 (trailers the same) */
	size_t max_chunk_ext_bytes; /* extensions of one chunk; longer: 400 */
	uint64_t max_body_bytes;    /* Content-Length or the chunks' sum; more, or over INT64_MAX: 413 */
};

enum guard_verdict {
	GUARD_PASS,	/* the bytes used are good; more are wanted */
	GUARD_DROP,	/* the bytes used are good but evhttp must not see them */
	GUARD_COMPLETE, /* the bytes used are good and end a request; the next byte begins another */
	GUARD_REFUSE,	/* not HTTP as we accept it: guard->problem and guard->reason say why; final */
};

/* Fields that are noted of one request.  If there are more, the note is not plain and must not be used. */
#define GUARD_NOTE_FIELDS 24

/*
 * The places of a request's parts, as offsets from its first byte, for a caller that answers it without evhttp.
 * To be used only if the request is plain and was fed whole, as one piece of its own without a dropped byte.
 */
struct guard_note {
	const uint8_t *begin; /* of the piece: the guard's own */
	bool is_plain;	      /* HTTP/1.1, and no field says that more than the head follows or is expected */
	uint32_t target, target_len;
	unsigned field_count;
	struct guard_field_note {
		uint32_t name, name_len;
		uint32_t value, value_len; /* including blanks at the end */
	} fields[GUARD_NOTE_FIELDS];
};

/* The request as far as it has been read; read-only for the caller. */
struct guard {
	const struct guard_limits *limits;
	enum problem problem; /* after GUARD_REFUSE */
	const char *reason;   /* after GUARD_REFUSE: a constant sentence for the problem's detail */
	bool began;	      /* a byte of this request has been seen (a dropped empty line does not count) */
	bool in_body;	      /* the header section is complete */
	uint64_t body_bytes;  /* of the body, seen so far */
	uint64_t body_total;  /* Content-Length, or the sum of the chunks announced so far */

	/* The caller sets it before the feed that begins a request and clears it after.  NULL: nothing is
	 * noted. */
	struct guard_note *note;

	/* The rest is the guard's memory between two pieces. */
	uint8_t state;		       /* enum guard_state of guard_step.h */
	uint8_t part;		       /* the position in the state's own small grammar */
	uint8_t escape;		       /* hexadecimal digits still to come after a percent sign */
	uint8_t octet;		       /* the last escape, decoded */
	uint8_t word_len;	       /* used of word */
	char word[48];		       /* the method, a field's name or an IP literal, cut off if longer */
	bool drop;		       /* evhttp must not see the next byte */
	bool trailers;		       /* the lines now read are trailers */
	bool head;		       /* the method is HEAD, which may have no body */
	bool version_1_0;	       /* HTTP/1.0 */
	bool has_host;		       /* a Host field has begun */
	bool has_length;	       /* a Content-Length field has begun */
	bool chunked;		       /* a Transfer-Encoding field has begun */
	const struct guard_rule *rule; /* for the value of the line being read */
	unsigned line_count;	       /* lines of the section that have begun */
	size_t left;		       /* bytes that the target, line or chunk extension may still have */
	size_t section_left;	       /* bytes that the section's later lines may still have together */
	uint64_t number;	       /* a port, a length or a chunk's size as far as it was read */
	uint64_t body_left;	       /* bytes still to come of the body or of the chunk */
	uint64_t body_limit;	       /* limit of body_total */
};

/* limits must outlive the guard. */
void guard_init(struct guard *guard, const struct guard_limits *limits);

/* Lowers the limit on the body that is being read, to no less than body_total.  Chunks beyond it are refused
 * (413). */
void guard_limit_body(struct guard *guard, uint64_t most);

/* Whether the next bytes are the host and port of an absolute target.  The call that reads them drops them, with
 * the slash after them if that is in the same piece; they stand for the Host field (RFC 9112, 3.2.2). */
bool guard_reads_host(const struct guard *guard);

/*
 * Feeds len > 0 bytes.  The verdict holds for the first *ret_used of them (0 < used <= len, but 0 with
 * GUARD_REFUSE); the caller feeds the rest again.  After GUARD_COMPLETE the guard is ready for the next
 * request.  The size of the pieces changes nothing: the verdict on a byte depends only on the bytes before it.
 * Good bytes before a bad one are passed by one call, and the next call, which begins with the bad one,
 * refuses.  A call that reads the end of a head whose body is to come uses nothing of the body (in_body is then
 * true).
 */
enum guard_verdict guard_feed(struct guard *guard, const char *data, size_t len, size_t *ret_used);
