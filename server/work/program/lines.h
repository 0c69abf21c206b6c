/* Splits bytes that come piece by piece into lines, in bounded memory. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Longer lines are cut. */
#define LINES_MAX 1024

/* Receives a line without its end (LF or CRLF).  It is lent and NUL-terminated, but may contain a NUL. */
typedef void (*lines_fn)(void *arg, const char *line, size_t len);

/* All zero is the initial state. */
struct lines {
	size_t len; /* of the line so far, at most LINES_MAX */
	char line[LINES_MAX + 1];
};

/* Adds bytes and calls fn for every line that they complete. */
void lines_feed(struct lines *lines, const char *data, size_t len, lines_fn fn, void *arg);

/* Calls fn for a last line without a line end, if there is one. */
void lines_finish(struct lines *lines, lines_fn fn, void *arg);
