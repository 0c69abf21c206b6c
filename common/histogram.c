/* Histograms of durations with fixed buckets. */
#include "common/histogram.h"

#include <string.h>

#define MS 1000
#define S 1000000

/* Upper bounds of the buckets: from a commit to the disk to work of an hour. */
static const int64_t bounds_us[HISTOGRAM_BUCKETS] = {500, 1 * MS, (5 * MS) / 2, 5 * MS, 10 * MS, 25 * MS,
	50 * MS, 100 * MS, 250 * MS, 500 * MS, 1 * S, (5 * S) / 2, 5 * S, 10 * S, 30 * S, 60 * S, 120 * S,
	300 * S, 600 * S, 1800LL * S, 3600LL * S};

void
histogram_add(struct histogram *histogram, int64_t us)
{
	size_t bucket = 0;

	if (us < 0)
		us = 0;
	while (bucket < HISTOGRAM_BUCKETS && us > bounds_us[bucket])
		bucket++;
	histogram->buckets[bucket]++;
	histogram->sum_us += (uint64_t)us;
}

void
histogram_format(
	const struct histogram *histogram, const char *name, const char *labels, struct text *ret_text)
{
	uint64_t count = 0;
	size_t len = strlen(labels);

	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		count += histogram->buckets[i];
		text_addf(ret_text, "%s_bucket{%sle=\"%g\"} %llu\n", name, labels, (double)bounds_us[i] / S,
			(unsigned long long)count);
	}
	count += histogram->buckets[HISTOGRAM_BUCKETS];
	text_addf(ret_text, "%s_bucket{%sle=\"+Inf\"} %llu\n", name, labels, (unsigned long long)count);
	text_addf(ret_text, len ? "%s_sum{%.*s} %.6f\n" : "%s_sum%.*s %.6f\n", name, len ? (int)len - 1 : 0,
		labels, (double)histogram->sum_us / S);
	text_addf(ret_text, len ? "%s_count{%.*s} %llu\n" : "%s_count%.*s %llu\n", name,
		len ? (int)len - 1 : 0, labels, (unsigned long long)count);
}
