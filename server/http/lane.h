/*
 * The fast lane, private to this layer: a request that the guard has passed whole, and that has no body, is
 * answered where its bytes have come in, before evhttp parses them, if that can be done at once from memory;
 * or goes from there to its handler, which may reply later.  It goes through the same router, log-in,
 * handler's code and reply, and is counted and logged as any other.  What cannot be answered so is left to
 * evhttp untouched, and evhttp never knows of the rest.
 */
#pragma once

#include "http/guard.h"

#include <stdbool.h>

struct http_connection;
struct http_request;
struct http_server;

/* The header fields of a request that evhttp has not seen. */
struct lane_head {
	unsigned count;
	struct lane_field {
		const char *name, *value; /* NUL-terminated */
	} fields[GUARD_NOTE_FIELDS];
};

/*
 * Tell request its path and query, and head its fields, out of text: the request's first bytes, as far as
 * what note tells of them goes, and one byte more.  The parts are ended there by NULs, and lent.  note has
 * had room for all fields.
 */
void lane_read_target(const struct guard_note *note, char *text, struct http_request *request);
void lane_read_fields(const struct guard_note *note, char *text, struct lane_head *head);

/*
 * The input holds nothing but one request, the len bytes of which note tells; the connection waits for one
 * and has nothing to write.  Whether it has been answered, or is held by its handler: then its bytes are no
 * longer wanted, and *ret_began_us is when that began (monotonic).
 */
bool lane_answer(struct http_connection *connection, const char *data, size_t len,
	const struct guard_note *note, int64_t *ret_began_us);

/* Lets go of one that was held and has been replied to, and of its connection if that is still there. */
void lane_end(struct http_request *request);

/* Frees the memory that is kept for requests; none is held. */
void lane_fini(struct http_server *server);
