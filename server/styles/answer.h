/* Pieces that the answers of several styles are made of. */
#pragma once

#include "common/http/fields.h"
#include "common/http/problem.h"
#include "http/request.h"
#include "operations/operations.h"

#include <stdbool.h>
#include <stddef.h>

/* Adds Cache-Control: no-store, and Retry-After where op has not ended: what every 202 and every monitor's
 * answer has. */
void answer_put_common(struct fields *fields, const struct op *op);
/* The same for a 202 that may be of an ended operation, joined by its key: there is no use in waiting, but
 * every 202 tells when to ask. */
void answer_put_accepted(struct fields *fields, const struct op *op);
/* Adds name with BASE, path and op's id as its value. */
void answer_put_url(struct fields *fields, const char *name, const struct http_request *request,
	const char *path, const struct op *op, const char *after);
/* Replies with a 202 that has the monitor's Location and the progress of op. */
void answer_pending(struct http_request *request, struct op *op, struct fields *fields);
/* Replies with op's final response; as a monitor's answer it is not to be cached. */
void answer_final(struct http_request *request, const struct op *op, struct fields *fields, bool as_monitor);
/* The whole body of the final response, for the caller to free; NULL if it cannot be read. */
char *answer_read_body(const struct op *op, size_t *ret_len);
/* Whether the final response says that it is JSON. */
bool answer_is_json(const struct op *op);
/* Ends a request whose client has left: nothing is sent.  The handler has no part in it any more. */
void answer_gone(struct http_request *request);

/* A refusal before an operation exists. */
void answer_problem(struct http_request *request, enum problem_dialect dialect, enum problem problem,
	int status, const char *detail, struct fields *fields);
