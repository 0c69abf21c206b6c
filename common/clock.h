/* Time: a monotonic clock for timers, the wall clock for dates, and both held still for tests. */
#pragma once

#include <stdint.h>

/* "2026-11-21T21:07:39.123Z" and "Sat, 21 Nov 2026 21:07:39 GMT", with their NUL. */
#define CLOCK_ISO8601_SIZE 25
#define CLOCK_HTTP_SIZE 30

/* Milliseconds since some moment in the past; never goes back.  Any thread. */
int64_t clock_mono_ms(void);

/* The same in microseconds.  Any thread. */
int64_t clock_mono_us(void);

/* Milliseconds since 1970-01-01T00:00:00Z; may be set by the operator.  Any thread. */
int64_t clock_wall_ms(void);

/* Like clock_wall_ms, but up to some milliseconds old: cheaper.  Any thread. */
int64_t clock_wall_about_ms(void);

/* Holds both clocks at these values until clock_release(); for tests only. */
void clock_hold(int64_t mono_ms, int64_t wall_ms);
void clock_release(void);

/* Writes wall_ms as an ISO 8601 date in UTC with milliseconds.  Any thread. */
void clock_format_iso8601(int64_t wall_ms, char ret_text[static CLOCK_ISO8601_SIZE]);

/* Writes wall_ms as an IMF-fixdate (RFC 9110, 5.6.7).  Any thread. */
void clock_format_http(int64_t wall_ms, char ret_text[static CLOCK_HTTP_SIZE]);
