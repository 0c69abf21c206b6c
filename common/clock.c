/* The clocks: monotonic and wall time, which tests can hold. */
#include "common/clock.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Held values, in milliseconds; held says whether they count. */
static _Atomic int held;
static _Atomic int64_t held_mono_ms;
static _Atomic int64_t held_wall_ms;

static int64_t
read_us(clockid_t clock)
{
	struct timespec now;
	int rc = clock_gettime(clock, &now);

	assert(rc == 0);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t
clock_mono_ms(void)
{
	return held ? held_mono_ms : read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t
clock_mono_us(void)
{
	return held ? held_mono_ms * 1000 : read_us(CLOCK_MONOTONIC);
}

int64_t
clock_wall_ms(void)
{
	return held ? held_wall_ms : read_us(CLOCK_REALTIME) / 1000;
}

int64_t
clock_wall_about_ms(void)
{
	return held ? held_wall_ms : read_us(CLOCK_REALTIME_COARSE) / 1000;
}

void
clock_hold(int64_t mono_ms, int64_t wall_ms)
{
	held_mono_ms = mono_ms;
	held_wall_ms = wall_ms;
	held = 1;
}

void
clock_release(void)
{
	held = 0;
}

static void
split(int64_t wall_ms, struct tm *ret_parts, int *ret_ms)
{
	int64_t ms = wall_ms % 1000;
	time_t seconds = (time_t)(wall_ms / 1000);

	if (ms < 0) {
		ms += 1000;
		seconds--;
	}
	gmtime_r(&seconds, ret_parts);
	*ret_ms = (int)ms;
}

/* Keeps printf's idea of a year within the four digits that the formats have. */
static int
year_of(const struct tm *parts)
{
	int year = parts->tm_year + 1900;

	return year < 0 ? 0 : year > 9999 ? 9999 : year;
}

void
clock_format_iso8601(int64_t wall_ms, char ret_text[static CLOCK_ISO8601_SIZE])
{
	char buffer[80];
	struct tm parts;
	int ms;

	split(wall_ms, &parts, &ms);
	snprintf(buffer, sizeof buffer, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", year_of(&parts),
		parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, ms);
	memcpy(ret_text, buffer, CLOCK_ISO8601_SIZE - 1);
	ret_text[CLOCK_ISO8601_SIZE - 1] = '\0';
}

void
clock_format_http(int64_t wall_ms, char ret_text[static CLOCK_HTTP_SIZE])
{
	static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[12][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	char buffer[80];
	struct tm parts;
	int ms;

	split(wall_ms, &parts, &ms);
	snprintf(buffer, sizeof buffer, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[parts.tm_wday],
		parts.tm_mday, months[parts.tm_mon], year_of(&parts), parts.tm_hour, parts.tm_min,
		parts.tm_sec);
	memcpy(ret_text, buffer, CLOCK_HTTP_SIZE - 1);
	ret_text[CLOCK_HTTP_SIZE - 1] = '\0';
}
