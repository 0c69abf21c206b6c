/*
 * Timers whose cost does not grow with their number: a hierarchical timing wheel of one millisecond a tick,
 * driven by one libevent timer.  Starting, moving and stopping one is a few pointer writes; a pass of the
 * loop fires a bounded number and goes on in the next.  Loop thread only.
 */
#pragma once

#include "common/list.h"

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct timers;
struct timer;

typedef void (*timer_fn)(struct timer *timer);

struct timer {
	struct list link; /* in its slot */
	int64_t at_ms;	  /* monotonic time at which it fires */
	timer_fn fn;	  /* may start the timer again, or free the struct around it */
};

/* base may be NULL in tests: then only timers_advance() makes time pass.  -ENOMEM. */
__attribute__((warn_unused_result)) int timers_new(struct event_base *base, struct timers **ret_timers);

/* Timers that are still running are forgotten, not fired.  NULL is allowed. */
void timers_free(struct timers *timers);

/* Fires what is due at now_ms (monotonic), at most budget timers, in the order of their times but where very
 * many are due.  What is started meanwhile for now is fired by the next call.  Returns whether it must be
 * called again at once. */
bool timers_advance(struct timers *timers, int64_t now_ms, unsigned budget);

/* Milliseconds from now_ms until the wheel must next be advanced, 0 if it must be now, -1 if no timer runs.
 * It may be earlier than the first timer, never later. */
int64_t timers_next_ms(const struct timers *timers, int64_t now_ms);

void timer_init(struct timer *timer, timer_fn fn);

/* Starts the timer, or moves it if it runs: it fires once, after_ms (negative counts as 0) from now, never
 * early. */
void timer_start(struct timers *timers, struct timer *timer, int64_t after_ms);

/* Stops it if it runs. */
void timer_stop(struct timer *timer);

bool timer_is_running(const struct timer *timer);
