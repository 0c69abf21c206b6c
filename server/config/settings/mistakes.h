/*
 * A list of mistakes in JSON that is being read: one per line, each with the JSON Pointer (RFC 6901) of the value.
 * Control characters in quoted values become \u00XX, so that a mistake stays on one line.  Any thread.
 */
#pragma once

#include "common/text.h"

#include <stddef.h>

struct json_object;
struct json_mistake;

struct mistakes {
	const char *file;     /* name of the file, shown where the pointer is empty; lent */
	struct text pointer;  /* to the value that is being read; empty: the whole */
	struct text lines;    /* the mistakes, each ended by a newline */
	size_t count;	      /* of lines */
	struct text warnings; /* what is legal and unwise, each ended by a newline */
};

/* Move the pointer to a member or an element.  They return a mark; mistakes_leave(mark) moves it back. */
size_t mistakes_enter(struct mistakes *mistakes, const char *name);
size_t mistakes_enter_index(struct mistakes *mistakes, size_t index);
void mistakes_leave(struct mistakes *mistakes, size_t mark);

/* Adds a mistake at the pointer: "/routes/0/path: MESSAGE". */
__attribute__((format(printf, 2, 3))) void mistakes_add(struct mistakes *mistakes, const char *format, ...);

/* The same with the value or string before the message: `/workers: "many" is not a whole number`.  Arrays and
 * objects are shown as "an array" and "an object"; long values are cut. */
__attribute__((format(printf, 3, 4))) void mistakes_add_value(
	struct mistakes *mistakes, struct json_object *value, const char *format, ...);
__attribute__((format(printf, 3, 4))) void mistakes_add_string(
	struct mistakes *mistakes, const char *string, const char *format, ...);

/* Adds a warning at the pointer, which is no mistake: "/routes/0/queue: MESSAGE". */
__attribute__((format(printf, 2, 3))) void mistakes_warn(struct mistakes *mistakes, const char *format, ...);

/* Adds a JSON syntax error in a file: "FILE:LINE:COLUMN: REASON".  Adds the same line only once. */
void mistakes_add_json(struct mistakes *mistakes, const char *file, const struct json_mistake *mistake);

void mistakes_fini(struct mistakes *mistakes);
