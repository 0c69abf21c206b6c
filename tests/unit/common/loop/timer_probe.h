/* A timer wheel that a test turns by hand, and timers that tell what has become of them. */
#pragma once

#include "common/loop/timer.h"

#include "common/clock.h"
#include "common/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ALL 1000000 /* a budget that is never reached */
#define START_MS 1000003

/* What a probe does when it fires, besides counting. */
enum reaction { NOTHING, RESTART, STOP_OTHER, START_OTHER, FREE_ITSELF, FREE_OTHER };

struct probe {
	struct timer timer;
	enum reaction reaction;
	int64_t again_ms;    /* for RESTART and START_OTHER */
	struct probe *other; /* for the reactions that have one */
	unsigned fired;
	int64_t due_ms; /* when the test thinks that it is due; -1: not running */
};

static struct timers *timers;
static int64_t now_ms;	/* what the timers were last told */
static unsigned fired;	/* by all probes */
static int64_t last_ms; /* the time of the one that fired last */

static inline void
on_fire(struct timer *timer)
{
	struct probe *probe = container_of(timer, struct probe, timer);

	assert_false(timer_is_running(timer));
	assert_true(timer->at_ms <= now_ms);
	assert_true(timer->at_ms >= last_ms);
	last_ms = timer->at_ms;
	fired++;
	probe->fired++;
	probe->due_ms = -1;
	switch (probe->reaction) {
	case NOTHING:
		break;
	case RESTART:
		timer_start(timers, timer, probe->again_ms);
		break;
	case STOP_OTHER:
		timer_stop(&probe->other->timer);
		break;
	case START_OTHER:
		timer_start(timers, &probe->other->timer, probe->again_ms);
		break;
	case FREE_OTHER:
		timer_stop(&probe->other->timer);
		free(probe->other);
		break;
	case FREE_ITSELF:
		free(probe);
		break;
	}
}

static inline void
probe_init(struct probe *probe, enum reaction reaction)
{
	memset(probe, 0, sizeof *probe);
	timer_init(&probe->timer, on_fire);
	probe->reaction = reaction;
	probe->due_ms = -1;
}

/* The wheel begins to turn at start_ms. */
static inline void
begin(int64_t start_ms)
{
	clock_hold(start_ms, 0);
	assert_int_equal(timers_new(NULL, &timers), 0);
	now_ms = start_ms;
	last_ms = 0;
	fired = 0;
}

static inline int
teardown(void **state)
{
	timers_free(timers);
	timers = NULL;
	clock_release();
	return 0;
}

static inline bool
advance(int64_t ms, unsigned budget)
{
	now_ms += ms;
	return timers_advance(timers, now_ms, budget);
}

/* Advances until nothing more is due. */
static inline void
advance_all(int64_t ms)
{
	while (advance(ms, ALL))
		ms = 0;
}
