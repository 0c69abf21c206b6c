/* State that all requests and replies of one server share: the id of the next request, the date, memory for
 * the reply that is being built, and the listener for counts and logs.  Loop thread only. */
#pragma once

#include "common/text.h"
#include "http/message/request.h"

#include <stdint.h>

struct http_request;

struct http_shared {
	/* set by the owner */
	const char *public_url; /* lent; without a slash at its end; NULL: made of the request */
	void (*on_reply)(void *arg, const struct http_request *request, int status, uint64_t body_bytes);
	void *arg;

	unsigned request_count; /* requests that wait for their reply */
	struct text piece;	/* the reply that is being built; kept for its memory */

	/* shared.c's */
	unsigned id_prefix; /* of request ids: random, one a process */
	unsigned id_count;
	char date[32]; /* the Date field of date_s */
	int64_t date_s;
};

/* shared is zeroed but for the owner's members. */
void http_shared_init(struct http_shared *shared);
void http_shared_fini(struct http_shared *shared);

/* Chooses the id of a request: the one that the client has given (NULL: none), if it is a token that fits, or a new
 * one, unlike all others of this process. */
void http_shared_choose_id(
	struct http_shared *shared, const char *given, char ret_id[static HTTP_REQUEST_ID_SIZE]);

/* The value of the Date field now; lent until the next call. */
const char *http_shared_date(struct http_shared *shared);

/* Calls on_reply, if it is set. */
void http_shared_count_reply(
	struct http_shared *shared, const struct http_request *request, int status, uint64_t body_bytes);
