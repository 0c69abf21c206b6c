/*
 * Path patterns of routes: "/a/{name}/{rest...}".  {name} matches one whole segment; {rest...} must be last and
 * matches all remaining segments.  All other segments are literal: path characters of RFC 3986, 3.3, without
 * percent-encoding.  Any thread.
 */
#pragma once

#include "common/text.h"

#include <stdbool.h>
#include <stddef.h>

#define PATTERN_MAX 1024     /* bytes */
#define PATTERN_NAMES_MAX 15 /* parameters */

enum pattern_kind { PATTERN_LITERAL, PATTERN_NAME, PATTERN_REST };

/* One segment of a walk.  text, not NUL-terminated, is the literal or the parameter's name. */
struct pattern_segment {
	enum pattern_kind kind;
	const char *text;
	size_t len;
	const char *next; /* where the next one begins; NULL: this is the last */
};

/* Returns what is wrong with pattern, as a sentence without subject (malloc'ed), or NULL if it is valid.  The
 * other functions take valid patterns only. */
char *pattern_mistake(const char *pattern);

/* Walks a pattern.  Start with *segment all zero; returns false at the end.  "/" has one empty literal. */
bool pattern_next(const char *pattern, struct pattern_segment *segment);

size_t pattern_count_names(const char *pattern);

/* Returns the names of the parameters in order, ended by NULL; the names and the list are malloc'ed. */
char **pattern_names(const char *pattern);

/* Adds the pattern without its names: "/a/{}/{...}".  Patterns with equal shapes match the same paths. */
void pattern_add_shape(struct text *text, const char *pattern);

/* Whether the len bytes are a parameter name: [A-Za-z_][A-Za-z0-9_]*. */
bool pattern_is_name(const char *data, size_t len);
