/* Retries: whether a call is tried once more, and after how long. */
#pragma once

#include "common/http/fields.h"

#include <stdbool.h>
#include <stdint.h>

struct retry_config {
	unsigned times; /* attempts after the first one; 0: none */
	int64_t for_ms; /* nothing is begun later than that after the call began; 0: nothing */
};

/*
 * The milliseconds to wait before the next attempt, or -1 if there is to be none.  tried counts the attempts
 * so far, at least 1; elapsed_ms is how long they took in all; asked_ms is the least that the other side
 * wants to be left alone for, -1 if it said nothing.  What it asks for is never cut short.  Any thread.
 */
int64_t retry_delay_ms(
	const struct retry_config *config, unsigned tried, int64_t elapsed_ms, int64_t asked_ms);

/* Retry-After (RFC 9110, 10.2.3) in milliseconds from now_ms of the wall clock, -1 if there is none that can
 * be read. */
int64_t retry_after_ms(const struct fields *fields, int64_t now_ms);
