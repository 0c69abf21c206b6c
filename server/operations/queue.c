/*
 * The queue: every route has its own, in order of acceptance.  The routes with queued operations take turns,
 * so that a burst on one route does not starve the others.  A route whose concurrency is used up is passed
 * over and keeps its place in the ring.
 *
 * Operations that change the same resource run one at a time, in order of acceptance: each resource has a
 * line of the operations that have not ended.  The first may run, the others are blocked.
 */
#include "operations/private.h"
#include "store/resources.h"

#include <stdlib.h>

struct op_turn {
	struct hash_node node; /* in the operations' turns */
	struct id id;	       /* of the resource */
	struct list runs;      /* struct op_run by turn_link, in order; never empty */
};

static struct op_turn *
find_turn(struct operations *operations, const struct id *id)
{
	struct hash_node *node =
		hash_find(&operations->turns, hash_bytes(&operations->turns, id, sizeof *id));

	for (; node; node = hash_find_next(node)) {
		struct op_turn *turn = container_of(node, struct op_turn, node);
		if (id_equal(&turn->id, id))
			return turn;
	}
	return NULL;
}

bool
op_route_needs_worker(const struct op_route *route)
{
	return !route->work || !route->work->type->begin;
}

static unsigned
server_slots(const struct op_route *route)
{
	const struct operations_config *config = &route->operations->config;

	return op_route_needs_worker(route) ? config->workers : config->upstream_concurrency;
}

unsigned
op_route_slots(const struct op_route *route)
{
	unsigned of_server = server_slots(route);

	return route->concurrency && route->concurrency < of_server ? route->concurrency : of_server;
}

static unsigned
less(unsigned slots, unsigned taken)
{
	return slots > taken ? slots - taken : 0;
}

/* Operations of the route that could start at once, were they the only ones that wait. */
static unsigned
free_slots(const struct op_route *route)
{
	const struct operations *operations = route->operations;
	unsigned taken = op_route_needs_worker(route) ? operations->run_count : operations->begun_count;
	unsigned of_route = less(op_route_slots(route), route->load->running);
	unsigned of_server = less(server_slots(route), taken);

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
}

/* Enters the line of the resource that the run changes.  Returns whether it is the first of it. */
static bool
join_turn(struct op_run *run)
{
	struct operations *operations = run->op->route->operations;
	const struct id *id = &run->change->id;
	struct op_turn *turn = find_turn(operations, id);
	bool is_first = !turn;

	if (!turn) {
		turn = xcalloc(1, sizeof *turn);
		turn->id = *id;
		list_init(&turn->runs);
		hash_add(&operations->turns, &turn->node, hash_bytes(&operations->turns, id, sizeof *id));
	}
	run->turn = turn;
	list_add_tail(&turn->runs, &run->turn_link);
	return is_first;
}

void
op_queue_enter(struct op_run *run)
{
	op_go(run->op, !run->change || join_turn(run) ? PHASE_WAITING : PHASE_BEHIND);
}

void
op_queue_remove(struct op_run *run)
{
	struct op_load *load = run->op->route->load;

	list_remove(&run->link);
	if (list_is_empty(&load->queued))
		list_remove(&load->link);
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
		return run;
	}
	return NULL;
}

void
op_turn_leave(struct op_run *run)
{
	struct op_turn *turn = run->turn;

	if (!turn)
		return;
	bool was_first = turn->runs.next == &run->turn_link;
	list_remove(&run->turn_link);
	run->turn = NULL;
	if (list_is_empty(&turn->runs)) {
		hash_remove(&run->op->route->operations->turns, &turn->node);
		free(turn);
	} else if (was_first) {
		struct op_run *next = container_of(turn->runs.next, struct op_run, turn_link);
		if (next->phase == PHASE_BEHIND)
			op_go(next->op, PHASE_WAITING);
	}
}

struct op *
operations_find_change(struct operations *operations, const struct id *resource)
{
	struct op_turn *turn = find_turn(operations, resource);

	return turn ? container_of(turn->runs.prev, struct op_run, turn_link)->op : NULL;
}
