/*
 * Upstream work: forwards the call to another HTTP server, whose response is the final response (contract:
 * "Upstream").
 *
 * Calls are made with libcurl on the threads of the transfers, many on each, and need no thread of the pool.
 * No redirect is followed, no proxy is asked, and nothing but http and https is spoken.
 */
#pragma once

#include "work/upstream/breaker.h"
#include "work/upstream/retry.h"
#include "work/work.h"

#include <stdbool.h>
#include <stdint.h>

struct upstream_config {
	char *url;	/* http or https, without a slash at its end, without user, query and fragment */
	char *ca_file;	/* trusted certificates; NULL: the system's */
	char **headers; /* "Name: value", sent with every call, ended by NULL; NULL: none */
	char **trusted_proxies;	    /* see trusted_proxies_init; NULL: none */
	char *principal_header;	    /* the field that names the principal; NULL: none */
	bool forward_credentials;   /* Authorization and Cookie are forwarded */
	bool pass_idempotency_key;  /* Idempotency-Key is forwarded */
	bool may_repeat;	    /* a call may reach the upstream twice, whatever its method */
	int64_t connect_timeout_ms; /* until there is a connection; 0: connecting has no limit of its own */
	int64_t timeout_ms;	    /* of one attempt; 0: as long as the call may run */
	int64_t stall_timeout_ms;   /* between two pieces of an answer that has begun; 0: no limit */
	struct retry_config retry;
	struct breaker_config breaker;
};

/* Counters of a route's calls since the work was made. */
struct upstream_stats {
	struct breaker_stats breaker;
	uint64_t retries; /* attempts after the first one of their call */
};

/* Makes the work; copies config.  -EINVAL if url, headers or trusted_proxies are malformed. */
__attribute__((warn_unused_result)) int upstream_new(
	const struct upstream_config *config, struct work **ret_work);

/* Whether work is upstream work; then its statistics.  Any thread. */
bool upstream_get_stats(const struct work *work, struct upstream_stats *ret_stats);
