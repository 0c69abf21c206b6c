/*
 * The head of a request as the guard has passed it, before anybody else reads it: for early judgement when it is
 * whole, and for the log when the request is refused before that.
 */
#pragma once

#include "http/message/request.h"
#include "http/message/transport.h"

#include <stddef.h>

/* A head, or its beginning.  All strings are NUL-terminated and its own. */
struct lines {
	char *text;
	enum http_method method; /* 0: not known */
	const char *target;	 /* as far as it has come */
	size_t target_len;
	unsigned count;
	struct lines_field {
		const char *name, *value;
	} * fields; /* whose lines are whole */
};

/* Reads the first len bytes of a head. */
void lines_read(const char *data, size_t len, struct lines *ret_lines);
void lines_fini(struct lines *lines);

/* As field and each_field of struct http_transport. */
const char *lines_find(const struct lines *lines, const char *name);
void lines_each(const struct lines *lines, http_each_fn fn, void *arg);

/* Another value for the field of that name (lent), which is added if there is none. */
void lines_put(struct lines *lines, const char *name, const char *value);

/* What is kept of a request whose body is still to come, for its refusal. */
struct seen {
	enum http_method method;       /* 0: not known */
	char id[HTTP_REQUEST_ID_SIZE]; /* the client's X-Request-Id, or one of ours */
	size_t path_len;
	char path[]; /* as far as it has come */
};

/* Reads the first len bytes of a head, for the caller to free. */
struct seen *seen_new(struct http_shared *shared, const char *data, size_t len);
