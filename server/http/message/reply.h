/*
 * Replies.  Each call ends and frees its request.  Date, Content-Length and Connection are added, and the body
 * is left out for HEAD.  Small replies are written with one system call.  Loop thread only.
 */
#pragma once

#include "common/http/problem.h"
#include "http/message/request.h"

/* Replies with any status, header fields (lent; NULL: none) and body (lent; NULL: none). */
void reply_blob(struct http_request *request, int status, const struct fields *fields, struct blob *body);

/* The same with a body of len bytes (copied). */
void reply_bytes(
	struct http_request *request, int status, const struct fields *fields, const char *data, size_t len);

/* A JSON document that is head, body (lent) and tail; Content-Type application/json and a newline are added.  A body in a
 * file is sent from there. */
void reply_json_around(struct http_request *request, int status, const struct fields *fields,
	const struct text *head, struct blob *body, struct text *tail);

/* A JSON document: Content-Type application/json and a newline at its end are added. */
void reply_json(struct http_request *request, int status, const struct fields *fields, struct text *json);

/* A problem: its document and status, with Cache-Control: no-store and further fields (lent; NULL: none). */
void reply_problem(
	struct http_request *request, const struct problem_report *report, const struct fields *fields);

/* The same for a problem of one sentence. */
__attribute__((format(printf, 3, 4))) void reply_problemf(
	struct http_request *request, enum problem problem, const char *format, ...);
