/* Histograms: see histogram.h. */
#include "watch/histogram.h"

#include <string.h>

/* Upper bounds of the buckets, in milliseconds. */
static const int64_t bounds_ms[HISTOGRAM_BUCKETS] = {
	5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 60000, 600000, 3600000};

void
histogram_add(struct histogram *histogram, int64_t ms)
{
	size_t bucket = 0;

	if (ms < 0)
		ms = 0;
	while (bucket < HISTOGRAM_BUCKETS && ms > bounds_ms[bucket])
		bucket++;
	histogram->buckets[bucket]++;
	histogram->sum_ms += (uint64_t)ms;
}

void
histogram_format(
	const struct histogram *histogram, const char *name, const char *labels, struct text *ret_text)
{
	uint64_t count = 0;
	size_t len = strlen(labels);

	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		count += histogram->buckets[i];
		text_addf(ret_text, "%s_bucket{%sle=\"%g\"} %llu\n", name, labels,
			(double)bounds_ms[i] / 1000, (unsigned long long)count);
	}
	count += histogram->buckets[HISTOGRAM_BUCKETS];
	text_addf(ret_text, "%s_bucket{%sle=\"+Inf\"} %llu\n", name, labels, (unsigned long long)count);
	text_addf(ret_text, len ? "%s_sum{%.*s} %.3f\n" : "%s_sum%.*s %.3f\n", name, len ? (int)len - 1 : 0,
		labels, (double)histogram->sum_ms / 1000);
	text_addf(ret_text, len ? "%s_count{%.*s} %llu\n" : "%s_count%.*s %llu\n", name,
		len ? (int)len - 1 : 0, labels, (unsigned long long)count);
}
