/* Pieces that the answers of several styles are made of. */
#pragma once

#include "common/http/fields.h"
#include "common/http/problem.h"
#include "http/message/request.h"
#include "operations/operations.h"
#include "style/style.h"

#include <stdbool.h>
#include <stddef.h>

/* Adds what every answer of a monitor has: Cache-Control: no-store; until op has ended Retry-After, and X-Progress once
 * its work has said how far it is; then AsyncResult, the status code of the final response. */
void answer_put_poll(struct fields *fields, const struct op *op);
/* Adds what every 202 to a call has: Cache-Control: no-store, Content-Location with op's monitor (RFC 9110, 8.7), and
 * Retry-After, even if op was joined by its key and has ended. */
void answer_put_accepted(struct fields *fields, const struct http_request *request, const struct op *op);
/* Adds name with BASE, path and op's id as its value. */
void answer_put_url(struct fields *fields, const char *name, const struct http_request *request,
	const char *path, const struct op *op, const char *after);
/* Replies with a 202 that has the monitor's Location and the progress of op: to a call, and to a poll. */
style_reply_fn answer_accepted, answer_pending;
/* Replies with op's final response; as a monitor's answer it is not to be cached. */
void answer_final(struct http_request *request, const struct op *op, struct fields *fields, bool as_monitor);
/* Add members to a JSON object that has one already: a date (ISO 8601), and a text. */
void answer_add_date(struct text *json, const char *name, int64_t wall_ms);
void answer_add_member(struct text *json, const char *name, const char *value);
/* Adds the status document of op (operations/document.h). */
void answer_add_status(struct text *json, const struct http_request *request, const struct op *op);
/* Adds why op failed, as a sentence in a JSON string: what its work said, else what its status code means. */
void answer_add_reason(struct text *json, const struct op *op);
/* Whether the final response says that it is JSON. */
bool answer_is_json(const struct op *op);
/* Ends a request whose client has left: nothing is sent.  The handler has no part in it any more. */
void answer_gone(struct http_request *request);

/* Answers for an operation that has expired, or that does not exist (op is NULL), as the style does; NULL: the
 * ordinary way.  Ends the request. */
void answer_missing(struct http_request *request, const struct style *style, const struct op *op);

/* Answers for an operation that has expired, as a call that repeats its key is told. */
void answer_expired(struct http_request *request, enum problem_dialect dialect, const struct op *op);

/* A refusal before an operation exists. */
void answer_problem(struct http_request *request, enum problem_dialect dialect, enum problem problem,
	int status, const char *detail, struct fields *fields);
