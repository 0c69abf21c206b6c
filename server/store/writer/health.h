/* Health: whether the disk accepts writes, which error refused writes get, and when the disk is tried
 * again. */
#pragma once

#include "common/loop/mailbox.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

enum health_state {
	HEALTH_GOOD,
	HEALTH_REFUSING, /* writes that may be refused are refused, the others are retried */
	HEALTH_BROKEN,	 /* nothing is written any more */
};

/* Used by the writer thread alone, except for good. */
struct health {
	struct mailbox *mailbox;
	void (*on_health)(void *arg, bool healthy, const char *why); /* see store_config; may be NULL */
	void *arg;
	unsigned pause_ms;

	_Atomic bool good; /* whether state is HEALTH_GOOD; any thread may read it */
	enum health_state state;
	int refusal;	       /* -errno for refused writes */
	struct timespec again; /* HEALTH_REFUSING: time of the next try, by CLOCK_MONOTONIC */
};

/* Starts in HEALTH_GOOD. The caller has set mailbox, on_health, arg and pause_ms. */
void health_start(struct health *health);

/* Notes that an attempt failed with error; what names it for the log.  why_broken is NULL, or the reason why
 * nothing may be written any more.  Posts a change of state to the loop. */
void health_fail(struct health *health, int error, const char *what, const char *why_broken);

/* Returns from HEALTH_REFUSING to HEALTH_GOOD, and posts that to the loop. */
void health_recover(struct health *health);

bool health_is_pause_over(const struct health *health);

/* The error that a caller gets when a write has failed with error: -ENOSPC or -EIO. */
int health_refusal_of(int error);
