/*
 * A second reader of requests, as plain as can be: it needs each whole and good, and looks for CRLFs instead
 * of judging bytes.  Tests hold against it where the wire guard ends requests and what evhttp made of them.
 */
#pragma once

#include "common/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct guard_reference {
	const char *at; /* what is still to be read */
	const char *end;
	struct text told; /* the requests read, one after the other as guard_reference_tell writes them */
	bool closed;	  /* one of them asked for the connection to be closed after it */
};

/* Adds a request: its first line, its fields, and its body with the length. */
static inline void
guard_reference_tell(struct text *told, const char *line, const struct text *fields, const struct text *body)
{
	text_addf(told, "%s\n%s%zu bytes\n", line, fields->len ? fields->data : "", body->len);
	text_add(told, body->data, body->len);
	text_add_char(told, '\n');
}

/* The line at reference->at without its CRLF, and goes behind it. */
static inline char *
guard_reference_line(struct guard_reference *reference)
{
	const char *line = reference->at;
	const char *crlf = memmem(line, (size_t)(reference->end - line), "\r\n", 2);

	assert(crlf);
	reference->at = crlf + 2;
	return xstrndup(line, (size_t)(crlf - line));
}

static inline void
guard_reference_bytes(struct guard_reference *reference, struct text *body, size_t len)
{
	assert((size_t)(reference->end - reference->at) >= len);
	text_add(body, reference->at, len);
	reference->at += len;
}

static inline void
guard_reference_chunks(struct guard_reference *reference, struct text *body)
{
	bool last;

	do {
		char *line = guard_reference_line(reference);
		size_t len = strtoul(line, NULL, 16);

		free(line);
		last = len == 0;
		if (!last) {
			guard_reference_bytes(reference, body, len);
			reference->at += 2;
		}
	} while (!last);
	for (bool more = true; more;) {
		char *trailer = guard_reference_line(reference);
		more = *trailer != '\0';
		free(trailer);
	}
}

/* What the fields of a request say of its body and its connection. */
struct guard_reference_framing {
	size_t length;
	bool chunked;
	const char *connection; /* the first such field's value as evhttp judges it; a literal */
};

static inline void
guard_reference_field(char *line, struct text *fields, struct guard_reference_framing *framing)
{
	char *value = strchr(line, ':');

	assert(value);
	*value++ = '\0';
	value += strspn(value, " \t");
	for (size_t len = strlen(value); len > 0 && strchr(" \t", value[len - 1]); len--)
		value[len - 1] = '\0';
	if (strcasecmp(line, "Content-Length") == 0)
		framing->length = strtoul(value, NULL, 10);
	if (strcasecmp(line, "Transfer-Encoding") == 0)
		framing->chunked = true;
	if (strcasecmp(line, "Connection") == 0 && !framing->connection)
		framing->connection = strcasecmp(value, "close") == 0		  ? "close"
				      : strncasecmp(value, "keep-alive", 10) == 0 ? "keep"
										  : "other";
	text_addf(fields, "%s: %s\n", line, value);
}

/* The scheme and host of an absolute target are not passed on; a path of nothing is a slash. */
static inline char *
guard_reference_relative(char *line)
{
	char *target = strchr(line, ' ') + 1;
	char *host = strncasecmp(target, "http://", 7) == 0    ? target + 7
		     : strncasecmp(target, "https://", 8) == 0 ? target + 8
							       : NULL;

	if (!host)
		return line;
	char *rest = host + strcspn(host, "/? ");
	char *relative = xasprintf("%.*s%s%s", (int)(target - line), line, *rest == '/' ? "" : "/", rest);
	free(line);
	return relative;
}

/* Reads one request that is whole. */
static inline void
guard_reference_read(struct guard_reference *reference)
{
	struct guard_reference_framing framing = {0};
	struct text fields = {0}, body = {0};
	char *first = guard_reference_line(reference);

	if (*first == '\0') {
		free(first);
		first = guard_reference_line(reference);
	}
	first = guard_reference_relative(first);
	for (bool more = true; more;) {
		char *line = guard_reference_line(reference);
		more = *line != '\0';
		if (more)
			guard_reference_field(line, &fields, &framing);
		free(line);
	}
	if (framing.chunked)
		guard_reference_chunks(reference, &body);
	else if (framing.length > 0)
		guard_reference_bytes(reference, &body, framing.length);
	bool http_1_0 = first[strlen(first) - 1] == '0';
	const char *connection = framing.connection ? framing.connection : http_1_0 ? "close" : "keep";
	if (!reference->closed)
		guard_reference_tell(&reference->told, first, &fields, &body);
	if (strcmp(connection, "close") == 0 || (http_1_0 && strcmp(connection, "keep") != 0))
		reference->closed = true;
	text_fini(&fields);
	text_fini(&body);
	free(first);
}
