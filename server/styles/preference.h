/* The Prefer header field (RFC 7240) as far as we honour it: respond-async and wait.  A pure parser; nothing
 * malformed is an error. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct preferences {
	bool respond_async;
	bool has_wait;	 /* wait=T or wait-ms=T with a number */
	int64_t wait_ms; /* with has_wait; huge numbers are cut at INT64_MAX / 2 */
	char wait[80];	 /* with has_wait: "wait=5", for Preference-Applied */
	bool seen_async; /* the first of equal preferences has been seen, whatever it said */
	bool seen_wait;
};

/* Adds the preferences of one header line; start with an all-zero struct. */
void preferences_parse(struct preferences *preferences, const char *line);
