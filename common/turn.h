/*
 * The turns of the loop: from one look for events to the next.  A turn takes a bounded number of events, so
 * that among a thousand busy connections nobody waits until all others have been answered twice, and timers
 * and what other threads post come in between.
 */
#pragma once

#include <stdint.h>

/* Events that a turn takes at most. */
#define TURN_EVENTS 32

/* The longest turn, in microseconds, of the calling thread's loop since the last call; 0: none has ended. */
int64_t turn_take_longest_us(void);
