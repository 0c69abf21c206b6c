/*
 * A circuit breaker: after several failures in a row calls are refused for a while, then one call at a time
 * tries whether the other side is back.  Any thread.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct breaker_config {
	unsigned failures; /* in a row that open the breaker; 0: it never opens */
	int64_t pause_ms;  /* how long it stays open */
};

enum breaker_state {
	BREAKER_CLOSED, /* calls are made */
	BREAKER_OPEN,	/* calls are refused */
	BREAKER_TRYING, /* one call is under way to find out; others are refused */
};

/* How a call has ended, as far as the upstream is responsible. */
enum breaker_outcome {
	BREAKER_SUCCESS,
	BREAKER_FAILURE,
	BREAKER_UNKNOWN, /* it was cancelled, or failed on our side */
};

struct breaker_stats {
	enum breaker_state state;
	uint64_t calls;	   /* let through */
	uint64_t failures; /* of them */
	uint64_t refused;
	uint64_t opened; /* how often the breaker opened */
};

struct breaker {
	struct breaker_config config; /* fixed */

	pthread_mutex_t lock; /* guards what follows */
	struct breaker_stats stats;
	unsigned failures_in_row;
	int64_t open_until_ms; /* of BREAKER_OPEN */
};

void breaker_init(struct breaker *breaker, const struct breaker_config *config);
void breaker_fini(struct breaker *breaker);

/* Seconds, at least 1, until a call tries the upstream again.  Any thread. */
unsigned breaker_retry_after(struct breaker *breaker);

/* Whether a call may be made.  If so, end it with breaker_leave() and pass *ret_is_trial back. */
bool breaker_enter(struct breaker *breaker, bool *ret_is_trial);
void breaker_leave(struct breaker *breaker, bool is_trial, enum breaker_outcome outcome);

void breaker_get_stats(struct breaker *breaker, struct breaker_stats *ret_stats);
