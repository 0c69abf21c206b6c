/* The table of phases, and the move from one phase to another. */
#include "operations/phase.h"

#include "operations/private.h"

#include <assert.h>

enum limit { NO_LIMIT, QUEUE_LIMIT, RUN_LIMIT };
enum place { NO_LIST, HELD_LIST, BLOCKED_LIST, QUEUE_LIST, RUNNING_LIST };

struct phase {
	enum place place;
	enum limit limit;
	bool is_outstanding; /* counts as outstanding */
	bool is_waiting;     /* counts as waiting on its route */
	bool has_slot;	     /* counts as running */
	enum op_state state; /* clients see this state, unless they have seen a later one */
	unsigned next;	     /* a bit for each phase that may follow */
};

#define TO(phase) (1u << PHASE_##phase)
#define TO_QUEUE (TO(BEHIND) | TO(WAITING))
#define TO_END (TO(ENDING) | TO(LEFT) | TO(OVER))

static const struct phase phases[PHASE_COUNT] = {
	[PHASE_NEW] = {.next = TO(ACCEPTING) | TO(HELD) | TO_QUEUE | TO(LEFT)},
	[PHASE_ACCEPTING] = {.is_outstanding = true,
		.is_waiting = true,
		.next = TO(HELD) | TO_QUEUE | TO_END},
	[PHASE_HELD] = {.place = HELD_LIST,
		.limit = QUEUE_LIMIT,
		.is_outstanding = true,
		.is_waiting = true,
		.state = OP_QUEUED,
		.next = TO(ATTACHING) | TO_QUEUE | TO_END},
	[PHASE_BEHIND] = {.place = BLOCKED_LIST,
		.limit = QUEUE_LIMIT,
		.is_outstanding = true,
		.is_waiting = true,
		.state = OP_QUEUED,
		.next = TO(WAITING) | TO_END},
	[PHASE_WAITING] = {.place = QUEUE_LIST,
		.limit = QUEUE_LIMIT,
		.is_outstanding = true,
		.is_waiting = true,
		.state = OP_QUEUED,
		.next = TO(BEGINNING) | TO_END},
	[PHASE_ATTACHING] = {.is_outstanding = true,
		.is_waiting = true,
		.state = OP_QUEUED,
		.next = TO(HELD) | TO_QUEUE | TO_END},
	[PHASE_BEGINNING] = {.is_outstanding = true,
		.has_slot = true,
		.state = OP_QUEUED,
		.next = TO(WORKING) | TO(WAITING) | TO_END},
	[PHASE_WORKING] = {.place = RUNNING_LIST,
		.limit = RUN_LIMIT,
		.is_outstanding = true,
		.has_slot = true,
		.state = OP_RUNNING,
		.next = TO(ENDING) | TO(LEFT)},
	[PHASE_ENDING] = {.is_outstanding = true, .state = OP_QUEUED, .next = TO(OVER)},
	[PHASE_LEFT] = {.is_outstanding = true, .state = OP_QUEUED, .next = TO(ENDING) | TO(OVER)},
};

bool
op_may_go(enum op_phase from, enum op_phase phase)
{
	return phases[from].next & 1u << phase;
}

bool
op_waits(const struct op *op)
{
	return op->run && phases[op->run->phase].limit == QUEUE_LIMIT;
}

static void
leave_list(struct op_run *run, enum place place)
{
	if (place == QUEUE_LIST)
		op_queue_remove(run);
	else if (place != NO_LIST)
		list_remove(&run->link);
}

/* An operation whose start the disk has refused is the first of its queue again. */
static void
enter_list(struct op_run *run, enum place place, bool at_head)
{
	struct operations *operations = run->op->route->operations;

	assert(list_is_empty(&run->link));
	if (place == QUEUE_LIST)
		op_queue_add(run, at_head);
	else if (place == HELD_LIST)
		list_add_tail(&operations->held, &run->link);
	else if (place == BLOCKED_LIST)
		list_add_tail(&operations->blocked, &run->link);
	else if (place == RUNNING_LIST)
		list_add_tail(&operations->running, &run->link);
}

static void
count(unsigned *counter, bool was, bool is)
{
	assert(*counter > 0 || !was || is);
	*counter += (unsigned)is - (unsigned)was;
}

static void
count_anew(struct op *op, const struct phase *was, const struct phase *is)
{
	struct operations *operations = op->route->operations;
	struct op_load *load = op->route->load;

	count(&operations->outstanding, was->is_outstanding, is->is_outstanding);
	count(&operations->queued, was->limit == QUEUE_LIMIT, is->limit == QUEUE_LIMIT);
	count(op_route_needs_worker(op->route) ? &operations->run_count : &operations->begun_count,
		was->has_slot, is->has_slot);
	count(&load->waiting, was->is_waiting, is->is_waiting);
	count(&load->running, was->has_slot, is->has_slot);
}

static int64_t
queue_timeout_ms(const struct op *op)
{
	if (op->route->queue_timeout_ms)
		return op->route->queue_timeout_ms;
	return op->sync ? OP_QUEUE_SYNC_MS : OP_QUEUE_ASYNC_MS;
}

/* A limit that applies in both phases goes on. */
static void
change_limit(struct op *op, enum limit was, enum limit is)
{
	struct timers *timers = op->route->operations->config.timers;

	if (was == is)
		return;
	timer_stop(&op->timer);
	if (is == QUEUE_LIMIT)
		timer_start(timers, &op->timer, queue_timeout_ms(op));
	else if (is == RUN_LIMIT)
		timer_start(timers, &op->timer, op->route->run_timeout_ms);
}

void
op_go(struct op *op, enum op_phase phase)
{
	struct op_run *run = op->run;
	enum op_phase from = run->phase;
	const struct phase *was = &phases[from], *is = &phases[phase];

	assert(op_may_go(from, phase));
	leave_list(run, was->place);
	run->phase = phase;
	enter_list(run, is->place, from == PHASE_BEGINNING);
	count_anew(op, was, is);
	change_limit(op, was->limit, is->limit);
	if (op->state < is->state)
		op_set_state(op, is->state);
}
