/* Metrics per route: its queue, and its calls to an upstream. */
#include "watch/route_metrics.h"

#include "operations/operations.h"
#include "watch/sample.h"
#include "work/upstream/upstream.h"

/* A family of metrics while its samples are added, one per route.  of_upstreams: only routes to upstreams. */
struct samples {
	struct text *text;
	const char *name;
	double (*pick)(const struct op_route_stats *route, const struct upstream_stats *upstream);
	bool of_upstreams;
};

static void
add_sample(void *arg, const struct op_route_stats *route)
{
	const struct samples *samples = arg;
	struct upstream_stats upstream = {0};

	if (samples->of_upstreams && !upstream_get_stats(route->work, &upstream))
		return;
	text_addf(samples->text, "%s{", samples->name);
	sample_add_label(samples->text, "route", route->key);
	text_addf(samples->text, "} %.15g\n", samples->pick(route, &upstream));
}

static double
pick_waiting(const struct op_route_stats *route, const struct upstream_stats *upstream)
{
	(void)upstream;
	return route->waiting;
}

static double
pick_running(const struct op_route_stats *route, const struct upstream_stats *upstream)
{
	(void)upstream;
	return route->running;
}

static double
pick_calls(const struct op_route_stats *route, const struct upstream_stats *upstream)
{
	(void)route;
	return (double)upstream->breaker.calls;
}

static double
pick_failures(const struct op_route_stats *route, const struct upstream_stats *upstream)
{
	(void)route;
	return (double)upstream->breaker.failures;
}

static double
pick_refused(const struct op_route_stats *route, const struct upstream_stats *upstream)
{
	(void)route;
	return (double)upstream->breaker.refused;
}

static double
pick_retries(const struct op_route_stats *route, const struct upstream_stats *upstream)
{
	(void)route;
	return (double)upstream->retries;
}

static double
pick_open(const struct op_route_stats *route, const struct upstream_stats *upstream)
{
	(void)route;
	return upstream->breaker.state != BREAKER_CLOSED;
}

void
route_metrics_format(struct operations *operations, struct text *ret_text)
{
	static const struct {
		const char *name, *type, *help;
		double (*pick)(const struct op_route_stats *route, const struct upstream_stats *upstream);
		bool of_upstreams;
	} families[] = {
		{"deferd_route_waiting", "gauge", "Operations of the route that wait in its queue.",
			pick_waiting, false},
		{"deferd_route_running", "gauge", "Operations of the route that run.", pick_running, false},
		{"deferd_upstream_calls_total", "counter", "Calls forwarded to the upstream.", pick_calls,
			true},
		{"deferd_upstream_failures_total", "counter", "Calls to the upstream that failed.",
			pick_failures, true},
		{"deferd_upstream_refused_total", "counter",
			"Calls refused while the circuit breaker was open.", pick_refused, true},
		{"deferd_upstream_retries_total", "counter", "Retries of calls to the upstream.",
			pick_retries, true},
		{"deferd_upstream_breaker_open", "gauge", "1 while the circuit breaker refuses calls.",
			pick_open, true},
	};

	for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
		struct samples samples = {
			.text = ret_text,
			.name = families[i].name,
			.pick = families[i].pick,
			.of_upstreams = families[i].of_upstreams,
		};
		sample_add_head(ret_text, families[i].name, families[i].type, families[i].help);
		operations_each_route(operations, add_sample, &samples);
	}
}
