/* Circuit breakers. */
#include "work/upstream/breaker.h"

#include "common/clock.h"

void
breaker_init(struct breaker *breaker, const struct breaker_config *config)
{
	*breaker = (struct breaker){.config = *config};
	pthread_mutex_init(&breaker->lock, NULL);
}

void
breaker_fini(struct breaker *breaker)
{
	pthread_mutex_destroy(&breaker->lock);
}

/* Called with the lock held. */
static bool
admit(struct breaker *breaker, bool *ret_is_trial)
{
	bool is_over = breaker->stats.state == BREAKER_OPEN && clock_mono_ms() >= breaker->open_until_ms;

	if (breaker->stats.state != BREAKER_CLOSED && !is_over)
		return false;
	if (is_over)
		breaker->stats.state = BREAKER_TRYING;
	*ret_is_trial = is_over;
	return true;
}

unsigned
breaker_retry_after(struct breaker *breaker)
{
	pthread_mutex_lock(&breaker->lock);
	int64_t left_ms = breaker->open_until_ms - clock_mono_ms();
	pthread_mutex_unlock(&breaker->lock);
	return left_ms < 1000 ? 1 : (unsigned)((left_ms + 999) / 1000);
}

bool
breaker_enter(struct breaker *breaker, bool *ret_is_trial)
{
	pthread_mutex_lock(&breaker->lock);
	bool may = admit(breaker, ret_is_trial);
	if (may)
		breaker->stats.calls++;
	else
		breaker->stats.refused++;
	pthread_mutex_unlock(&breaker->lock);
	return may;
}

static void
open_for_a_while(struct breaker *breaker)
{
	if (breaker->stats.state == BREAKER_CLOSED)
		breaker->stats.opened++;
	breaker->stats.state = BREAKER_OPEN;
	breaker->open_until_ms = clock_mono_ms() + breaker->config.pause_ms;
}

static void
fail(struct breaker *breaker, bool is_trial)
{
	const struct breaker_config *config = &breaker->config;

	breaker->stats.failures++;
	breaker->failures_in_row++;
	/* Calls that were made before the breaker opened say nothing new. */
	if (is_trial || (breaker->stats.state == BREAKER_CLOSED && config->failures > 0 &&
				breaker->failures_in_row >= config->failures))
		open_for_a_while(breaker);
}

static void
succeed(struct breaker *breaker, bool is_trial)
{
	if (is_trial)
		breaker->stats.state = BREAKER_CLOSED;
	if (breaker->stats.state == BREAKER_CLOSED)
		breaker->failures_in_row = 0;
}

void
breaker_leave(struct breaker *breaker, bool is_trial, enum breaker_outcome outcome)
{
	pthread_mutex_lock(&breaker->lock);
	if (outcome == BREAKER_FAILURE)
		fail(breaker, is_trial);
	else if (outcome == BREAKER_SUCCESS)
		succeed(breaker, is_trial);
	else if (is_trial)
		breaker->stats.state = BREAKER_OPEN; /* its time is over, so that the next call tries */
	pthread_mutex_unlock(&breaker->lock);
}

void
breaker_get_stats(struct breaker *breaker, struct breaker_stats *ret_stats)
{
	pthread_mutex_lock(&breaker->lock);
	*ret_stats = breaker->stats;
	pthread_mutex_unlock(&breaker->lock);
}
