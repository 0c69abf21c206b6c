/* Retries. */
#include "work/upstream/retry.h"

#include "common/cleanup.h"
#include "common/id.h"
#include "common/text.h"

#include <curl/curl.h>
#include <string.h>

/* The first wait is about this long, and each that follows twice as long as the one before, up to the
 * last. */
#define FIRST_MS 250
#define LONGEST_MS 10000

/* Longer than this is for ever. */
#define ASKED_MAX_S (INT64_C(10) * 365 * 24 * 3600)

/* A random number from 0 to below - 1. */
static int64_t
any_below(int64_t below)
{
	uint64_t number;

	random_bytes(&number, sizeof number);
	return (int64_t)(number % (uint64_t)below);
}

/* Half of it is left to chance, so that calls that failed together do not come back together. */
static int64_t
backoff_ms(unsigned tried)
{
	int64_t whole = tried < 16 ? (int64_t)FIRST_MS << (tried - 1) : LONGEST_MS;

	if (whole > LONGEST_MS)
		whole = LONGEST_MS;
	return whole / 2 + any_below(whole / 2 + 1);
}

int64_t
retry_delay_ms(const struct retry_config *config, unsigned tried, int64_t elapsed_ms, int64_t asked_ms)
{
	if (tried > config->times)
		return -1;
	int64_t delay = asked_ms >= 0 ? asked_ms + any_below(FIRST_MS) : backoff_ms(tried);
	return delay <= config->for_ms - elapsed_ms ? delay : -1;
}

int64_t
retry_after_ms(const struct fields *fields, int64_t now_ms)
{
	CLEANUP_FREE char *value = fields_dup_value(fields, "Retry-After");
	uint64_t seconds;

	if (!value)
		return -1;
	if (text_parse_uint(value, strlen(value), ASKED_MAX_S, &seconds) == 0)
		return (int64_t)seconds * 1000;
	time_t date = curl_getdate(value, NULL);
	if (date < 0 || date > now_ms / 1000 + ASKED_MAX_S)
		return -1;
	int64_t left = (int64_t)date * 1000 - now_ms;
	return left > 0 ? left : 0;
}
