/* A histogram of durations, in Prometheus' sense: cumulative buckets, a sum and a count. */
#pragma once

#include "common/text.h"

#include <stdint.h>

#define HISTOGRAM_BUCKETS 21

/* All zero is empty. */
struct histogram {
	uint64_t buckets[HISTOGRAM_BUCKETS + 1]; /* not cumulative; the last is beyond all bounds */
	uint64_t sum_us;
};

void histogram_add(struct histogram *histogram, int64_t us);

/* Adds the samples NAME_bucket, NAME_sum and NAME_count, in seconds; labels is "route=\"/a\"," or "". */
void histogram_format(
	const struct histogram *histogram, const char *name, const char *labels, struct text *ret_text);
