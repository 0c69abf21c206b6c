/* A route as its operations see it: its settings, its load, and the Retry-After that follows from them. */
#include "common/clock.h"
#include "operations/private.h"
#include "store/resources.h"

#include <stdlib.h>
#include <string.h>

/* The greatest Retry-After: some clients ignore huge values. */
#define RETRY_AFTER_MAX_S 600

/* How many of the oldest operations are looked at for the next result that expires. */
#define EXPIRIES_MAX 1000

static struct op_load *
load_ref(struct operations *operations, const char *key)
{
	list_for_each(node, &operations->routes) {
		struct op_route *route = container_of(node, struct op_route, link);

		if (strcmp(route->key, key) == 0) {
			route->load->references++;
			return route->load;
		}
	}
	struct op_load *load = xcalloc(1, sizeof *load);
	load->references = 1;
	list_init(&load->link);
	list_init(&load->queued);
	return load;
}

static void
load_unref(struct op_load *load)
{
	if (--load->references == 0)
		free(load);
}

struct op_route *
operations_add_route(struct operations *operations, const struct op_route_config *config)
{
	struct op_route *route = xcalloc(1, sizeof *route);

	route->operations = operations;
	route->references = 1;
	route->key = xstrdup(config->key);
	route->load = load_ref(operations, config->key);
	route->work = config->work ? work_ref(config->work) : NULL;
	route->concurrency = config->concurrency;
	route->queue_limit = config->queue;
	route->queue_timeout_ms = config->queue_timeout_ms;
	route->run_timeout_ms = config->run_timeout_ms;
	route->keep_ms = config->keep_ms;
	route->keep_timed_out_ms = config->keep_timed_out_ms;
	route->max_result_bytes = config->max_result_bytes;
	route->rerun = config->rerun;
	route->dialect = config->dialect;
	route->collection = config->collection ? store_collection_ref(config->collection) : NULL;
	list_add_tail(&operations->routes, &route->link);
	return route;
}

struct op_route *
op_route_ref(struct op_route *route)
{
	route->references++;
	return route;
}

void
op_route_unref(struct op_route *route)
{
	if (!route || --route->references > 0)
		return;
	list_remove(&route->link);
	load_unref(route->load);
	work_unref(route->work);
	store_collection_unref(route->collection);
	free(route->key);
	free(route);
}

bool
op_is_of_route(const struct op *op, const struct op_route *route)
{
	return strcmp(op->route->key, route->key) == 0;
}

/* Whether another route of that key was added after this one. */
static bool
is_superseded(const struct operations *operations, const struct op_route *route)
{
	for (const struct list *node = route->link.next; node != &operations->routes; node = node->next) {
		const struct op_route *later =
			container_of((struct list *)(uintptr_t)node, struct op_route, link);
		if (strcmp(later->key, route->key) == 0)
			return true;
	}
	return false;
}

void
operations_each_route(
	struct operations *operations, void (*fn)(void *arg, const struct op_route_stats *stats), void *arg)
{
	list_for_each(node, &operations->routes) {
		const struct op_route *route = container_of(node, struct op_route, link);
		struct op_route_stats stats = {
			.key = route->key,
			.work = route->work,
			.waiting = route->load->waiting,
			.running = route->load->running,
		};
		if (route->work && !is_superseded(operations, route))
			fn(arg, &stats);
	}
}

static unsigned
whole_seconds(int64_t ms)
{
	return ms < 1000 ? 1 : (unsigned)((ms + 999) / 1000);
}

/* For estimates. */
static unsigned
seconds(int64_t ms)
{
	return ms > RETRY_AFTER_MAX_S * INT64_C(1000) ? RETRY_AFTER_MAX_S : whole_seconds(ms);
}

/* Estimates from recent run times how long the queue takes to empty. */
static int64_t
queue_ms(const struct op_route *route)
{
	return route->load->run_ms * route->load->waiting / op_route_slots(route);
}

unsigned
op_retry_after(const struct op *op)
{
	if (op->state == OP_RUNNING)
		return seconds(op->route->load->run_ms - (clock_wall_ms() - op->started_ms));
	return seconds(queue_ms(op->route) + op->route->load->run_ms);
}

/* How long until one of the oldest results expires and gives its bytes back; 0 if there is none. */
static int64_t
next_expiry_ms(const struct operations *operations)
{
	int64_t next = INT64_MAX, now = clock_mono_ms();
	unsigned looked_at = 0;

	for (const struct list *node = operations->all.prev;
		node != &operations->all && looked_at < EXPIRIES_MAX; node = node->prev, looked_at++) {
		const struct op *op = container_of((struct list *)(uintptr_t)node, struct op, link);
		if (op->body && timer_is_running(&op->timer) && op->timer.at_ms < next)
			next = op->timer.at_ms;
	}
	return next == INT64_MAX ? 0 : next - now;
}

unsigned
operations_room_retry_after(const struct operations *operations)
{
	return whole_seconds(next_expiry_ms(operations));
}

unsigned
op_route_retry_after(const struct op_route *route, enum op_refusal why)
{
	if (why == OP_REFUSED_DRAINING)
		return whole_seconds(route->operations->drain_ends_ms - clock_mono_ms());
	if (why == OP_REFUSED_STORAGE && store_is_healthy(route->operations->config.store))
		return operations_room_retry_after(route->operations);
	return seconds(queue_ms(route));
}
