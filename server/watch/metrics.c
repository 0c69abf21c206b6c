/* Metrics of operations, HTTP, the store and the loop in Prometheus' text format. */
#include "watch/metrics.h"

#include "common/clock.h"
#include "common/hash.h"
#include "common/histogram.h"
#include "common/log.h"
#include "common/loop/turn.h"
#include "http/server.h"
#include "operations/operations.h"
#include "store/store.h"
#include "watch/peak.h"
#include "watch/process_metrics.h"
#include "watch/route_metrics.h"
#include "watch/sample.h"

#include <stdlib.h>
#include <string.h>

/* How often the loop's lag is measured. */
#define LAG_INTERVAL_MS 500

#define STATUS_MAX 600

/* Ends of a route's operations with equal labels. */
struct end_count {
	struct end_count *next; /* of the route */
	const char *style;	/* a constant */
	enum op_state state;
	char *labels; /* route="…",style="…",state="…" */
	uint64_t count;
};

/* Counts and times of the operations of one route. */
struct route_times {
	struct hash_node node;
	char *route;
	char *labels; /* route="…", */
	uint64_t accepted, dropped;
	struct end_count *ends;
	struct histogram wait, run;
};

struct metrics {
	struct metrics_sources sources;
	struct hash routes;
	struct route_times
		*last; /* the route counted last, which is usually the next one as well; NULL: none */
	uint64_t replies[STATUS_MAX];
	uint64_t reply_bytes;
	int64_t started_ms; /* wall clock */

	/* the loop's lag: how late a timer fires */
	struct timer lag_timer;
	int64_t lag_due_ms;
	int64_t lag_ms;
	struct peak lag_peak_ms;
	struct peak turn_peak_us; /* the longest turn of the loop */
	bool knows_turns;	  /* whether turns can be measured, see turn.h */
};

static void
add_turns(struct metrics *metrics, int64_t now_ms)
{
	int64_t longest_us = turn_take_longest_us();

	metrics->knows_turns = longest_us >= 0;
	peak_add(&metrics->turn_peak_us, now_ms, longest_us);
}

static void
on_lag_timer(struct timer *timer)
{
	struct metrics *metrics = container_of(timer, struct metrics, lag_timer);
	int64_t now_ms = clock_mono_ms();

	metrics->lag_ms = now_ms > metrics->lag_due_ms ? now_ms - metrics->lag_due_ms : 0;
	peak_add(&metrics->lag_peak_ms, now_ms, metrics->lag_ms);
	add_turns(metrics, now_ms);
	metrics->lag_due_ms = now_ms + LAG_INTERVAL_MS;
	timer_start(metrics->sources.timers, timer, LAG_INTERVAL_MS);
}

struct metrics *
metrics_new(const struct metrics_sources *sources)
{
	struct metrics *metrics = xcalloc(1, sizeof *metrics);

	metrics->sources = *sources;
	hash_init(&metrics->routes);
	metrics->started_ms = clock_wall_ms();
	metrics->lag_due_ms = clock_mono_ms() + LAG_INTERVAL_MS;
	timer_init(&metrics->lag_timer, on_lag_timer);
	timer_start(sources->timers, &metrics->lag_timer, LAG_INTERVAL_MS);
	return metrics;
}

void
metrics_set_http(struct metrics *metrics, const struct http_server *http)
{
	metrics->sources.http = http;
}

static void
free_route(struct hash_node *node, void *arg)
{
	struct route_times *route = container_of(node, struct route_times, node);

	hash_remove(arg, node);
	while (route->ends) {
		struct end_count *end = route->ends;
		route->ends = end->next;
		free(end->labels);
		free(end);
	}
	free(route->route);
	free(route->labels);
	free(route);
}

void
metrics_free(struct metrics *metrics)
{
	if (!metrics)
		return;
	timer_stop(&metrics->lag_timer);
	hash_each(&metrics->routes, free_route, &metrics->routes);
	hash_fini(&metrics->routes);
	free(metrics);
}

void
metrics_count_reply(struct metrics *metrics, int status, uint64_t body_bytes)
{
	if (status > 0 && status < STATUS_MAX)
		metrics->replies[status]++;
	metrics->reply_bytes += body_bytes;
}

static char *
end_labels(const struct route_times *times, const char *style, enum op_state state)
{
	struct text labels = {0};

	text_add_string(&labels, times->labels);
	sample_add_label(&labels, "style", style[0] ? style : "sync");
	text_add_char(&labels, ',');
	sample_add_label(&labels, "state", op_state_name(state));
	return text_take(&labels);
}

static struct end_count *
end_of(struct route_times *times, const char *style, enum op_state state)
{
	for (struct end_count *end = times->ends; end; end = end->next)
		if (end->state == state && strcmp(end->style, style) == 0)
			return end;
	struct end_count *end = xcalloc(1, sizeof *end);
	end->style = style;
	end->state = state;
	end->labels = end_labels(times, style, state);
	end->next = times->ends;
	times->ends = end;
	return end;
}

static struct route_times *
times_of_route(struct metrics *metrics, const char *route)
{
	if (metrics->last && strcmp(metrics->last->route, route) == 0)
		return metrics->last;
	uint64_t value = hash_bytes(&metrics->routes, route, strlen(route));
	struct text labels = {0};

	for (struct hash_node *node = hash_find(&metrics->routes, value); node; node = hash_find_next(node)) {
		struct route_times *times = container_of(node, struct route_times, node);
		if (strcmp(times->route, route) == 0)
			return metrics->last = times;
	}
	sample_add_label(&labels, "route", route);
	text_add_char(&labels, ',');
	struct route_times *times = xcalloc(1, sizeof *times);
	times->route = xstrdup(route);
	times->labels = text_take(&labels);
	hash_add(&metrics->routes, &times->node, value);
	return metrics->last = times;
}

void
metrics_count_accept(struct metrics *metrics, const struct op *op)
{
	times_of_route(metrics, op_route_key(op))->accepted++;
}

void
metrics_count_drop(struct metrics *metrics, const struct op *op)
{
	times_of_route(metrics, op_route_key(op))->dropped++;
}

void
metrics_count_end(struct metrics *metrics, const struct op *op)
{
	struct route_times *times = times_of_route(metrics, op_route_key(op));

	end_of(times, op->style, (enum op_state)op->state)->count++;
	int64_t begun_ms = op->started_ms ? op->started_ms : op->ended_ms;
	histogram_add(&times->wait, (begun_ms - op->accepted_ms) * 1000);
	if (op->started_ms)
		histogram_add(&times->run, (op->ended_ms - op->started_ms) * 1000);
}

static void
add_ends(struct hash_node *node, void *arg)
{
	const struct route_times *times = container_of(node, struct route_times, node);

	for (const struct end_count *end = times->ends; end; end = end->next)
		text_addf(arg, "deferd_operations_ended_total{%s} %llu\n", end->labels,
			(unsigned long long)end->count);
}

static void
add_count(const struct route_times *times, const char *name, uint64_t count, struct text *text)
{
	int len = (int)strlen(times->labels) - 1;

	text_addf(text, "%s{%.*s} %llu\n", name, len, times->labels, (unsigned long long)count);
}

static void
add_accepted(struct hash_node *node, void *arg)
{
	struct route_times *times = container_of(node, struct route_times, node);

	add_count(times, "deferd_operations_accepted_total", times->accepted, arg);
}

static void
add_dropped(struct hash_node *node, void *arg)
{
	struct route_times *times = container_of(node, struct route_times, node);

	add_count(times, "deferd_operations_dropped_total", times->dropped, arg);
}

static void
add_refused(const struct operations_stats *stats, struct text *text)
{
	sample_add_head(text, "deferd_operations_refused_total", "counter",
		"Calls refused because of load, by reason.");
	for (int why = OP_TAKEN + 1; why < OP_REFUSALS; why++)
		text_addf(text, "deferd_operations_refused_total{reason=\"%s\"} %llu\n",
			op_refusal_name((enum op_refusal)why), (unsigned long long)stats->refused[why]);
}

static void
add_wait(struct hash_node *node, void *arg)
{
	struct route_times *times = container_of(node, struct route_times, node);

	histogram_format(&times->wait, "deferd_operation_wait_seconds", times->labels, arg);
}

static void
add_run(struct hash_node *node, void *arg)
{
	struct route_times *times = container_of(node, struct route_times, node);

	histogram_format(&times->run, "deferd_operation_run_seconds", times->labels, arg);
}

static void
add_operations(struct metrics *metrics, struct text *text)
{
	struct operations_stats stats;
	int64_t now_ms = clock_wall_ms();

	operations_get_stats(metrics->sources.operations, &stats);
	sample_add_head(text, "deferd_operations", "gauge", "Operations by state.");
	text_addf(text, "deferd_operations{state=\"queued\"} %u\n", stats.queued);
	text_addf(text, "deferd_operations{state=\"running\"} %u\n", stats.running);
	text_addf(text, "deferd_operations{state=\"kept\"} %llu\n", (unsigned long long)stats.kept);
	text_addf(text, "deferd_operations{state=\"expired\"} %llu\n", (unsigned long long)stats.tombstones);
	sample_add_value(text, "deferd_operations_outstanding", "gauge",
		"Operations that count against the capacity.", stats.outstanding);
	sample_add_value(text, "deferd_queue_oldest_age_seconds", "gauge",
		"Age of the oldest queued operation.",
		stats.oldest_queued_ms ? (double)(now_ms - stats.oldest_queued_ms) / 1000 : 0);
	sample_add_value(text, "deferd_pool_threads", "gauge", "Worker threads.", stats.threads);
	sample_add_value(text, "deferd_pool_busy_threads", "gauge", "Worker threads that are busy.",
		stats.busy_threads);
	sample_add_value(text, "deferd_retained_bytes", "gauge", "Bytes of bodies and results held.",
		(double)stats.retained_bytes);
	add_refused(&stats, text);
	sample_add_head(text, "deferd_operations_accepted_total", "counter",
		"Operations accepted or recovered at the start.");
	hash_each(&metrics->routes, add_accepted, text);
	sample_add_head(text, "deferd_operations_dropped_total", "counter",
		"Synchronous calls whose client left before they ran.");
	hash_each(&metrics->routes, add_dropped, text);
	sample_add_head(text, "deferd_operations_ended_total", "counter", "Operations ended.");
	hash_each(&metrics->routes, add_ends, text);
	sample_add_head(text, "deferd_operation_wait_seconds", "histogram",
		"Time from acceptance to the start of the work.");
	hash_each(&metrics->routes, add_wait, text);
	sample_add_head(text, "deferd_operation_run_seconds", "histogram",
		"Time from the start of the work to the end.");
	hash_each(&metrics->routes, add_run, text);
}

static void
add_http(struct metrics *metrics, struct text *text)
{
	const struct http_server *http = metrics->sources.http;

	sample_add_head(text, "deferd_http_replies_total", "counter", "Replies by status code.");
	for (int status = 0; status < STATUS_MAX; status++)
		if (metrics->replies[status])
			text_addf(text, "deferd_http_replies_total{status=\"%d\"} %llu\n", status,
				(unsigned long long)metrics->replies[status]);
	sample_add_value(text, "deferd_http_reply_body_bytes_total", "counter", "Bytes of reply bodies.",
		(double)metrics->reply_bytes);
	sample_add_value(text, "deferd_http_connections", "gauge", "Open connections.",
		http ? http_server_connections(http) : 0);
	sample_add_value(text, "deferd_http_requests_held", "gauge", "Requests without a reply yet.",
		http ? http_server_requests(http) : 0);
}

static void
add_store(struct metrics *metrics, struct text *text)
{
	struct store_stats stats;

	store_get_stats(metrics->sources.store, &stats);
	sample_add_value(text, "deferd_store_healthy", "gauge", "1 if operations can be stored.",
		store_is_healthy(metrics->sources.store));
	sample_add_value(text, "deferd_store_commits_total", "counter", "Transactions committed.",
		(double)stats.commits);
	sample_add_value(
		text, "deferd_store_writes_total", "counter", "Writes made durable.", (double)stats.writes);
	sample_add_value(text, "deferd_store_waiting", "gauge", "Writes that wait for a commit.",
		(double)stats.waiting);
	sample_add_head(text, "deferd_store_commit_seconds", "histogram", "Duration of a commit.");
	histogram_format(&stats.commit_times, "deferd_store_commit_seconds", "", text);
	sample_add_value(text, "deferd_store_file_bytes", "gauge", "Size of the database file.",
		(double)stats.file_bytes);
}

static void
add_process(struct metrics *metrics, struct text *text)
{
	int64_t now_ms = clock_mono_ms();

	sample_add_value(text, "deferd_loop_lag_seconds", "gauge", "Delay of the loop's last timer.",
		(double)metrics->lag_ms / 1000);
	sample_add_value(text, "deferd_loop_lag_max_seconds", "gauge",
		"Longest timer delay of the last one to two minutes.",
		(double)peak_get(&metrics->lag_peak_ms, now_ms) / 1000);
	add_turns(metrics, now_ms);
	if (metrics->knows_turns)
		sample_add_value(text, "deferd_loop_turn_max_seconds", "gauge",
			"Longest turn of the loop in the last one to two minutes.",
			(double)peak_get(&metrics->turn_peak_us, now_ms) / 1e6);
	sample_add_value(text, "deferd_log_lines_dropped_total", "counter",
		"Log lines dropped because the reader of the log did not read.", (double)log_dropped());
	sample_add_head(text, "deferd_build_info", "gauge", "Version of the server.");
	text_add_string(text, "deferd_build_info{version=\"" DEFERD_VERSION "\"} 1\n");
	process_metrics_format(metrics->started_ms, text);
}

void
metrics_format(struct metrics *metrics, struct text *ret_text)
{
	add_operations(metrics, ret_text);
	route_metrics_format(metrics->sources.operations, ret_text);
	add_http(metrics, ret_text);
	add_store(metrics, ret_text);
	add_process(metrics, ret_text);
}
