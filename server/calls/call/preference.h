/* The Prefer header field (RFC 7240), of which respond-async and wait are honoured.  Nothing malformed is an
 * error. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct http_request;

struct preferences {
	bool respond_async;
	bool has_wait;	 /* wait=T or wait-ms=T with a number */
	int64_t wait_ms; /* with has_wait; huge numbers are cut at INT64_MAX / 2 */
	char wait[80];	 /* with has_wait: "wait=5", for Preference-Applied */
	bool is_bare;	 /* wait without a value: as long as the server likes */
	bool seen_async; /* the first of equal preferences has been seen, whatever it said */
	bool seen_wait;
};

/* Adds the preferences of one header line; start with an all-zero struct. */
void preferences_parse(struct preferences *preferences, const char *line);

/* Reads the preferences of a request. */
void preferences_read(struct preferences *ret_preferences, const struct http_request *request);

/* Returns how long the client waits, at most max_ms; 0: it does not. */
int64_t preferences_wait_ms(const struct preferences *preferences, int64_t max_ms);
