/*
 * Metrics in Prometheus' text format 0.0.4: counters and histograms that the hooks of the front and the
 * operations feed, and gauges that are read when somebody asks.  Loop thread only.
 */
#pragma once

#include "common/text.h"
#include "common/timer.h"
#include "operations/op.h"

#include <stdint.h>

struct http_server;
struct metrics;
struct operations;
struct store;

struct metrics_sources {
	struct timers *timers;
	struct operations *operations;
	struct store *store;
	const struct http_server *http; /* the public front */
};

/* Starts to measure the loop's lag, too. */
struct metrics *metrics_new(const struct metrics_sources *sources);
void metrics_free(struct metrics *metrics); /* NULL is allowed */

/* The front comes later than the rest. */
void metrics_set_http(struct metrics *metrics, const struct http_server *http);

/* A reply of the front, or a refusal. */
void metrics_count_reply(struct metrics *metrics, int status, uint64_t body_bytes);

/* An operation was accepted, dropped, has ended: see the hooks of struct operations_config. */
void metrics_count_accept(struct metrics *metrics, const struct op *op);
void metrics_count_drop(struct metrics *metrics, const struct op *op);
void metrics_count_end(struct metrics *metrics, const struct op *op);

/* Adds the whole exposition. */
void metrics_format(struct metrics *metrics, struct text *ret_text);
