/*
 * The mistakes of a configuration: gathered while it is read, one a line, each with the JSON Pointer (RFC
 * 6901) of what is wrong. A line stays a line: control characters in what is quoted become \u00XX.
 */
#pragma once

#include "common/text.h"

#include <stddef.h>

struct json_object;
struct json_mistake;

struct mistakes {
	const char *file;    /* the configuration, for what has no pointer; lent */
	struct text pointer; /* to the value that is being looked at; empty: the whole */
	struct text lines;   /* what was found, each line ended by a newline */
	size_t count;	     /* of lines */
};

/* Moves the pointer to a member or an element; what they answer brings it back with mistakes_leave(). */
size_t mistakes_enter(struct mistakes *mistakes, const char *name);
size_t mistakes_enter_index(struct mistakes *mistakes, size_t index);
void mistakes_leave(struct mistakes *mistakes, size_t mark);

/* Tells a mistake at the pointer: "/routes/0/path: MESSAGE". */
__attribute__((format(printf, 2, 3))) void mistakes_add(struct mistakes *mistakes, const char *format, ...);

/* The same with the value, or the string, in front of the message: `/workers: "many" is not a whole
 * number`.  Arrays and objects are told as such, and what is long is cut. */
__attribute__((format(printf, 3, 4))) void mistakes_add_value(
	struct mistakes *mistakes, struct json_object *value, const char *format, ...);
__attribute__((format(printf, 3, 4))) void mistakes_add_string(
	struct mistakes *mistakes, const char *string, const char *format, ...);

/* Tells a mistake of JSON in a file: "FILE:LINE:COLUMN: REASON"; once, however often that file is named. */
void mistakes_add_json(struct mistakes *mistakes, const char *file, const struct json_mistake *mistake);

void mistakes_fini(struct mistakes *mistakes);
