/* Lines out of bytes that come piece by piece, in bounded memory. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* What is longer is cut. */
#define LINES_MAX 1024

/* Gets a line without its end (LF or CRLF); lent, and NUL-terminated where it has no NUL itself. */
typedef void (*lines_fn)(void *arg, const char *line, size_t len);

/* All zero is the beginning. */
struct lines {
	size_t len; /* of what has come of a line, at most LINES_MAX */
	char line[LINES_MAX + 1];
};

/* Calls fn for every line that is complete now. */
void lines_feed(struct lines *lines, const char *data, size_t len, lines_fn fn, void *arg);

/* Calls fn for what has come of a line that was never ended, if anything. */
void lines_finish(struct lines *lines, lines_fn fn, void *arg);
