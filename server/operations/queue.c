/*
 * The queue: every route has its own, in order of acceptance, and the routes that have something queued take
 * turns, so that a burst on one does not starve the others.  A route whose concurrency is used up is passed
 * over and keeps its place in the ring.
 */
#include "operations/private.h"

#include <assert.h>

static unsigned
route_concurrency(const struct op_route *route)
{
	unsigned workers = route->operations->config.workers;

	return route->concurrency && route->concurrency < workers ? route->concurrency : workers;
}

/* Operations of the route that could start at once, were they the only ones that wait. */
static unsigned
free_slots(const struct op_route *route)
{
	unsigned of_route = route_concurrency(route), of_server = route->operations->config.workers;

	of_route = of_route > route->load->running ? of_route - route->load->running : 0;
	of_server = of_server > route->operations->run_count ? of_server - route->operations->run_count : 0;
	return of_route < of_server ? of_route : of_server;
}

bool
op_queue_has_room(const struct op_route *route)
{
	unsigned idle = free_slots(route);
	unsigned waiting = route->load->waiting > idle ? route->load->waiting - idle : 0;

	return route->queue_limit == OP_NO_LIMIT || route->load->waiting < idle ||
	       waiting < route->queue_limit;
}

void
op_queue_add(struct op_run *run, bool at_head)
{
	struct op_route *route = run->op->route;

	struct op_load *load = route->load;

	if (list_is_empty(&load->queued))
		list_add_tail(&route->operations->ring, &load->link);
	if (at_head)
		list_add_head(&load->queued, &run->link);
	else
		list_add_tail(&load->queued, &run->link);
	route->operations->queued++;
}

void
op_queue_hold(struct op_run *run)
{
	struct operations *operations = run->op->route->operations;

	run->blocked = true;
	list_add_tail(&operations->blocked, &run->link);
	operations->queued++;
}

void
op_queue_enter(struct op_run *run)
{
	if (!run->change || op_turn_join(run))
		op_queue_add(run, false);
	else
		op_queue_hold(run);
}

void
op_queue_unblock(struct op_run *run)
{
	if (!run->blocked)
		return;
	op_queue_remove(run);
	op_queue_add(run, false);
}

void
op_queue_remove(struct op_run *run)
{
	struct op_route *route = run->op->route;
	bool was_blocked = run->blocked;

	assert(!list_is_empty(&run->link));
	list_remove(&run->link);
	route->operations->queued--;
	run->blocked = false;
	if (!was_blocked && list_is_empty(&route->load->queued))
		list_remove(&route->load->link);
}

struct op_run *
op_queue_next(struct operations *operations)
{
	list_for_each(node, &operations->ring) {
		struct op_load *load = container_of(node, struct op_load, link);
		struct op_run *run = container_of(load->queued.next, struct op_run, link);

		if (free_slots(run->op->route) == 0)
			continue;
		list_remove(&load->link);
		list_add_tail(&operations->ring, &load->link);
		op_queue_remove(run);
		return run;
	}
	return NULL;
}
