/* The head of a reply as it goes over the wire (RFC 9112, 4 and 5), and the whole of a refusal by the guard.
 * Loop thread only. */
#pragma once

#include "common/http/fields.h"
#include "common/http/problem.h"
#include "common/text.h"

#include <stdbool.h>
#include <stdint.h>

struct http_request;

/* "OK": the reason phrase of a status code. */
const char *head_reason(int status);

/* Whether a reply of that status may have a body at all (RFC 9110, 6.4.1). */
bool head_has_body(int status);

/* Adds the head of a reply, up to its empty line.  It has the request's id, unless the fields have one of their own.  len is the value of Content-Length, persistence that of
 * Connection; NULL: the reply has no such field. */
void head_format(struct text *head, const struct http_request *request, int status,
	const struct fields *fields, const uint64_t *len, const char *persistence);

/* Adds the whole reply to a request that is refused before it is whole, and counts it. */
void head_format_refusal(
	const struct http_request *request, const struct problem_report *report, struct text *ret_reply);
