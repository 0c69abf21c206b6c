/* Texts of others made fit for a terminal: they can neither move its cursor nor turn the direction of writing. */
#pragma once

#include "common/text.h"

/* Adds at most max bytes of data to text.  Control characters, marks that change the direction of writing, and bytes that
 * are not UTF-8 become \xNN. */
void printable_add(struct text *text, const char *data, size_t len, size_t max);

/* The same of a string as a new string (malloc'ed); NULL is "-". */
char *printable_dup(const char *string, size_t max);
