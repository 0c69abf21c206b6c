/* A maximum over the last minutes: it may be read at any time by any number of readers.  Loop thread only. */
#pragma once

#include <stdint.h>

/* A value counts for at least this long, and for less than twice as long. */
#define PEAK_WINDOW_MS (60 * 1000)

/* All zero is a peak without values. */
struct peak {
	int64_t now, before; /* the greatest value of the current window, and of the one before it */
	int64_t window;	     /* number of the current window on the monotonic clock */
};

/* Adds a value at now_ms (monotonic clock). */
void peak_add(struct peak *peak, int64_t now_ms, int64_t value);

/* Returns the greatest value at now_ms, 0 if there is none. */
int64_t peak_get(struct peak *peak, int64_t now_ms);
