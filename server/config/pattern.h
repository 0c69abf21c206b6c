/*
 * Path patterns of routes: "/a/{name}/{rest...}".  A parameter is a whole segment; {rest...} takes all that
 * follows, and comes last.  Everything else is literal: characters that may stand in a path (RFC 3986,
 * 3.3), none of them percent-encoded.
 */
#pragma once

#include "common/text.h"

#include <stdbool.h>
#include <stddef.h>

#define PATTERN_MAX 1024     /* bytes */
#define PATTERN_NAMES_MAX 15 /* parameters */

enum pattern_kind { PATTERN_LITERAL, PATTERN_NAME, PATTERN_REST };

/* One segment of a walk; text is not NUL-terminated: a literal as it is, of a parameter the name. */
struct pattern_segment {
	enum pattern_kind kind;
	const char *text;
	size_t len;
	const char *next; /* where the next one begins; NULL: this is the last */
};

/* Why pattern is none, as a sentence without a subject (malloc'ed); NULL if it is a good one. */
char *pattern_mistake(const char *pattern);

/* Walks a good pattern: starts with *segment all zero, false at the end.  "/" has one empty literal. */
bool pattern_next(const char *pattern, struct pattern_segment *segment);

size_t pattern_count_names(const char *pattern);

/* The names of the good pattern's parameters in order (malloc'ed, the list as well), ended by NULL. */
char **pattern_names(const char *pattern);

/* Adds the good pattern without its names: "/a/{}/{...}".  Patterns of one shape take the same paths. */
void pattern_add_shape(struct text *text, const char *pattern);

/* Whether the len bytes are a name: [A-Za-z_][A-Za-z0-9_]*. */
bool pattern_is_name(const char *data, size_t len);
