/*
 * Early judgement, private to this layer: of a request whose body is still to come, what can be refused by
 * its head alone is refused before the body is read: who makes it (401, 403), its path and method (404, 405),
 * and what its route says of heads.  A client that has asked for 100 (Continue) gets the refusal in its
 * place.  Heads that come in more than one piece are not judged early: their requests are refused once whole.
 */
#pragma once

#include "http/guard.h"

#include <stddef.h>

struct http_connection;
struct http_request;

/*
 * The first piece of a request, which note tells, has its whole head and not its whole body; evhttp has not
 * seen it.  Refuses the request, or does nothing; or makes evhttp wait, while a password is checked, and then
 * does either.
 */
void early_judge(
	struct http_connection *connection, const char *data, size_t len, const struct guard_note *note);

/* It is known who makes the request, and what its path leads to has no objection: evhttp may have it. */
void early_pass(struct http_request *request);

/* The request has been refused, or its client has left: frees it. */
void early_free(struct http_request *request);
