/*
 * The turns of the event loop: a turn is the time from one call of epoll_wait(2) to the next.  A turn takes a
 * bounded number of events: among a thousand busy connections none waits until all others have been served
 * twice, and timers and mail of other threads come in between.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct event_base;

/* Events that a turn takes at most. */
#define TURN_EVENTS 32

/* Whether turns of base, which has no events yet, are bounded and measured: false if libevent does not call
 * epoll_wait as we define it.  Runs base once without waiting. */
bool turn_probe(struct event_base *base);

/* Returns the longest turn, in microseconds, that has ended on the calling thread since the last call; 0: none
 * has ended; -1: turns are not measured on this thread. */
int64_t turn_take_longest_us(void);
