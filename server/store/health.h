/* Health: whether the disk takes what it is given, what is told to those who are refused, and when it is
 * tried again. */
#pragma once

#include "common/mailbox.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

enum health_state {
	HEALTH_GOOD,
	HEALTH_REFUSING, /* what need not be written is refused, the rest is tried again */
	HEALTH_BROKEN,	 /* nothing is written any more */
};

/* The writer's thread alone, but for good. */
struct health {
	struct mailbox *mailbox;
	void (*on_health)(
		void *arg, bool healthy, const char *why); /* see store_config; NULL: nobody wants to know */
	void *arg;
	unsigned pause_ms;

	_Atomic bool good; /* whether state is HEALTH_GOOD; any thread reads it */
	enum health_state state;
	int refusal;	       /* -errno: what is told to those who are refused */
	struct timespec again; /* HEALTH_REFUSING: when it is tried again, by CLOCK_MONOTONIC */
};

/* Sets what is not the caller's: it is good at first. */
void health_start(struct health *health);

/* Notes that an attempt failed with error; what names it for the log.  why_broken is NULL, or the reason why
 * nothing may be written any more.  Posts a change of state to the loop. */
void health_fail(struct health *health, int error, const char *what, const char *why_broken);

/* Notes that writing is possible again, and posts it.  Not from HEALTH_BROKEN. */
void health_recover(struct health *health);

bool health_is_pause_over(const struct health *health);

/* What a call is told when a write has failed with error: -ENOSPC or -EIO. */
int health_refusal_of(int error);
