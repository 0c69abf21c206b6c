/*
 * Metrics in Prometheus' text format 0.0.4.  Hooks of the front and of the operations update the counters and
 * histograms; gauges are read when the metrics are scraped.  Loop thread only.
 */
#pragma once

#include "common/loop/timer.h"
#include "common/text.h"
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

/* Also starts to measure the loop's lag. */
struct metrics *metrics_new(const struct metrics_sources *sources);
void metrics_free(struct metrics *metrics); /* NULL is allowed */

/* Sets the public front, which is made after the metrics. */
void metrics_set_http(struct metrics *metrics, const struct http_server *http);

/* Counts a reply, refusals by the guard included. */
void metrics_count_reply(struct metrics *metrics, int status, uint64_t body_bytes);

/* Count an operation that was accepted, dropped or has ended (hooks of struct operations_config). */
void metrics_count_accept(struct metrics *metrics, const struct op *op);
void metrics_count_drop(struct metrics *metrics, const struct op *op);
void metrics_count_end(struct metrics *metrics, const struct op *op);

/* Adds all metrics as text. */
void metrics_format(struct metrics *metrics, struct text *ret_text);
