/*
 * The header that the files of the wire guard share, private to them.  A request is recognised by steps, one
 * function a state.  Between two bytes the whole state is in struct guard, so that a piece may end anywhere.
 */
#pragma once

#include "http/guard/guard.h"

/* The part of a request that is read next. */
enum guard_state {
	GUARD_START,	    /* the first byte of a request, or of an empty line before it */
	GUARD_EMPTY_LF,	    /* the LF of that empty line */
	GUARD_METHOD,	    /* the method, up to its space */
	GUARD_TARGET,	    /* the byte that a target begins with: a slash in the usual form */
	GUARD_ASTERISK,	    /* the space after "*", the target of an OPTIONS for the server itself */
	GUARD_SCHEME,	    /* "http:/" or "https:/" of an absolute target, which is dropped */
	GUARD_SCHEME_SLASH, /* the slash after it, which is passed as the path's first one */
	GUARD_AUTHORITY,    /* the host and port of an absolute target, and the slash after them: dropped */
	GUARD_PATH,	    /* the rest of the path */
	GUARD_PATH_ESCAPE,  /* the two digits after a percent sign in it */
	GUARD_QUERY,	    /* the query, up to its space */
	GUARD_QUERY_ESCAPE, /* the two digits after a percent sign in it, or what follows one that begins no escape */
	GUARD_VERSION, /* the version and the request line's CRLF */
	GUARD_LINE,    /* the first byte of a header or trailer line, or of the empty one after them */
	GUARD_NAME,    /* the rest of a field's name and its colon */
	GUARD_BLANKS,  /* spaces before a value */
	GUARD_TABS,  /* blanks before a value, from a tab on: evhttp takes tabs for the value's, so dropped */
	GUARD_VALUE, /* the value, up to its CR */
	GUARD_TAIL,  /* blanks after a value that has none inside */
	GUARD_LINE_LF,	     /* the LF of a header or trailer line */
	GUARD_HEADER_LF,     /* the LF that ends the header section */
	GUARD_BODY,	     /* a body of known length */
	GUARD_CHUNK_SIZE,    /* the digits of a chunk's size */
	GUARD_CHUNK_EXT,     /* its extensions, up to their CR */
	GUARD_CHUNK_CR,	     /* the CR after extensions */
	GUARD_CHUNK_LF,	     /* the LF after a chunk's size */
	GUARD_CHUNK_DATA,    /* the chunk itself */
	GUARD_CHUNK_DATA_CR, /* the CR after it */
	GUARD_CHUNK_DATA_LF, /* the LF after it */
	GUARD_TRAILER_LF,    /* the LF that ends the trailer section */
	GUARD_REFUSED,	     /* nothing any more */
	GUARD_STATE_COUNT,
};

/* Bytes not read yet; at < end when a step is called. */
struct guard_run {
	const uint8_t *at;
	const uint8_t *end;
};

/* Reads as far as it can and moves run->at; it may read nothing and change the state or guard->drop instead.
 * The bytes that it reads are passed or dropped as guard->drop said at the call.  A byte that it refuses is not
 * read. */
typedef enum guard_verdict (*guard_step_fn)(struct guard *guard, struct guard_run *run);

/* Classes of bytes: bits of guard_bytes[]. */
enum {
	BYTE_TOKEN = 1 << 0, /* tchar (RFC 9110, 5.6.2) */
	BYTE_VALUE = 1 << 1, /* VCHAR, obs-text, space and tab */
	BYTE_BLANK = 1 << 2, /* space and tab */
	BYTE_DIGIT = 1 << 3,
	BYTE_HEX = 1 << 4,
	BYTE_PATH = 1 << 5,  /* any byte of a path's segments but the percent sign and the dot */
	BYTE_QUERY = 1 << 6, /* any byte of a query but the percent sign */
	BYTE_HOST = 1 << 7,  /* reg-name (RFC 3986, 3.2.2) but the percent sign */
};
extern const uint8_t guard_bytes[256];

/* The rule for the value of a field that frames or routes a request.  Other fields have guard_rule_plain. */
struct guard_rule {
	const char *name;
	bool frames; /* a request with it is more than its head */
	/* The name was read: refuses the field if it may not stand here. */
	enum guard_verdict (*begin)(struct guard *guard);
	/* Reads the value up to the first byte that does not fit. */
	enum guard_verdict (*read)(struct guard *guard, struct guard_run *run);
	/* Whether the bytes read are a whole value. */
	bool (*is_whole)(const struct guard *guard);
	/* Refuses the value at the byte next: it does not fit, or the value ended too early there. */
	enum guard_verdict (*refuse)(struct guard *guard, uint8_t next);
};
extern const struct guard_rule guard_rule_plain;

/* The rule for a header field, never NULL. */
const struct guard_rule *guard_rule_find(const char *name, size_t name_len);

/* Whether a field may not be a trailer, because it frames, routes, authenticates or describes the message. */
bool guard_rule_bars_trailer(const char *name, size_t name_len);

/* A host with an optional port, byte by byte: begins one, reads as much as fits, and whether that is a whole one. */
void guard_host_begin(struct guard *guard);
void guard_host_read(struct guard *guard, struct guard_run *run);
bool guard_host_is_whole(const struct guard *guard);

/* Refuses; returns GUARD_REFUSE. */
enum guard_verdict guard_refuse(struct guard *guard, enum problem problem, const char *reason);

/* Ends a request and makes the guard ready for the next; returns GUARD_COMPLETE. */
enum guard_verdict guard_complete(struct guard *guard);

/* Reads that one byte and goes to the state next; refuses any other byte with reason. */
enum guard_verdict guard_expect(
	struct guard *guard, struct guard_run *run, uint8_t byte, enum guard_state next, const char *reason);

/* Takes a digit of an escape into guard->octet and counts guard->escape down; false if it is no digit or the
 * octet is NUL. */
bool guard_escape(struct guard *guard, uint8_t byte);

/* Begins the header or the trailer section: there is room for its lines. */
void guard_field_begin_section(struct guard *guard);

/* Refuses a body that is longer than body_limit. */
enum guard_verdict guard_refuse_long_body(struct guard *guard);

/* A chunk's size is next. */
void guard_chunk_next(struct guard *guard);

enum guard_verdict guard_line_start(struct guard *guard, struct guard_run *run);
enum guard_verdict guard_line_empty(struct guard *guard, struct guard_run *run);
enum guard_verdict guard_line_method(struct guard *guard, struct guard_run *run);
enum guard_verdict guard_line_target(struct guard *guard, struct guard_run *run);
enum guard_verdict guard_line_asterisk(struct guard *guard, struct guard_run *run);
enum guard_verdict guard_line_scheme(struct guard *guard, struct guard_run *run);
enum guard_verdict guard_line_scheme_slash(struct guard *guard, struct guard_run *run);
enum guard_verdict guard_line_authority(struct guard *guard, struct guard_run *run);
enum guard_verdict guard_line_path(struct guard *guard, struct guard_run *run);
enum guard_verdict guard_line_escape(struct guard *guard, struct guard_run *run);
enum guard_verdict guard_line_query(struct guard *guard, struct guard_run *run);
enum guard_verdict guard_line_version(struct guard *guard, struct guard_run *run);

enum guard_verdict guard_field_line(struct guard *guard, struct guard_run *run);
enum guard_verdict guard_field_name(struct guard *guard, struct guard_run *run);
enum guard_verdict guard_field_blanks(struct guard *guard, struct guard_run *run);
enum guard_verdict guard_field_tabs(struct guard *guard, struct guard_run *run);
enum guard_verdict guard_field_value(struct guard *guard, struct guard_run *run);
enum guard_verdict guard_field_tail(struct guard *guard, struct guard_run *run);
enum guard_verdict guard_field_line_end(struct guard *guard, struct guard_run *run);

enum guard_verdict guard_body_begin(struct guard *guard, struct guard_run *run);
enum guard_verdict guard_body_data(struct guard *guard, struct guard_run *run);
enum guard_verdict guard_chunk_size(struct guard *guard, struct guard_run *run);
enum guard_verdict guard_chunk_ext(struct guard *guard, struct guard_run *run);
enum guard_verdict guard_chunk_cr(struct guard *guard, struct guard_run *run);
enum guard_verdict guard_chunk_begin(struct guard *guard, struct guard_run *run);
enum guard_verdict guard_chunk_data_cr(struct guard *guard, struct guard_run *run);
enum guard_verdict guard_chunk_data_lf(struct guard *guard, struct guard_run *run);
enum guard_verdict guard_chunk_end(struct guard *guard, struct guard_run *run);

static inline bool
guard_is(uint8_t byte, uint8_t class)
{
	return (guard_bytes[byte] & class) != 0;
}

/* The first byte from at on that is not of the class. */
static inline const uint8_t *
guard_skip(const uint8_t *at, const uint8_t *end, uint8_t class)
{
	for (; end - at >= 4; at += 4) {
		if (!guard_is(at[0], class))
			return at;
		if (!guard_is(at[1], class))
			return at + 1;
		if (!guard_is(at[2], class))
			return at + 2;
		if (!guard_is(at[3], class))
			return at + 3;
	}
	while (at < end && guard_is(*at, class))
		at++;
	return at;
}

/* The offset of a byte in the piece being fed, for the note. */
static inline uint32_t
guard_offset(const struct guard *guard, const uint8_t *at)
{
	return (uint32_t)(at - guard->note->begin);
}

/* The part of the run that guard->left allows. */
static inline struct guard_run
guard_within_left(const struct guard *guard, const struct guard_run *run)
{
	size_t len = (size_t)(run->end - run->at);

	return (struct guard_run){run->at, run->at + (len < guard->left ? len : guard->left)};
}

/* Moves the run to to and counts the bytes against guard->left. */
static inline void
guard_take(struct guard *guard, struct guard_run *run, const uint8_t *to)
{
	guard->left -= (size_t)(to - run->at);
	run->at = to;
}
