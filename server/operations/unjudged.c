/*
 * Operations whose bodies were still to be judged when they were accepted: they are held, and look queued,
 * until somebody above says what has come of it.  Their queue timeout runs, and they can be cancelled, as if
 * they waited for their turn.
 */
#include "operations/private.h"

#include "store/resources.h"

#include <assert.h>

void
op_hold(struct op *op)
{
	if (op->state != OP_QUEUED)
		op_set_state(op, OP_QUEUED);
	op->run->unjudged = true;
	op_queue_hold(op->run);
	timer_start(op->route->operations->config.timers, &op->timer, op->route->queue_timeout_ms);
}

static void
let_go(struct op_run *run)
{
	op_queue_remove(run);
	run->unjudged = false;
}

const struct work_input *
op_unjudged_input(const struct op *op)
{
	const struct op_run *run = op->run;

	return run && run->unjudged && !run->ending && !op->route->operations->draining ? run->input : NULL;
}

void
operations_pass(struct operations *operations, struct op *op)
{
	assert(op_unjudged_input(op));
	let_go(op->run);
	op_queue_enter(op->run);
	op_start_next(operations);
}

void
operations_fail(struct op *op, struct work_result *verdict)
{
	assert(op_unjudged_input(op));
	let_go(op->run);
	op->route->load->waiting--;
	op_end(op, OP_FAILED, verdict);
}

/* The change is part of the operation, which waits for its turn. */
static void
take_change(struct op_run *run)
{
	struct op *op = run->op;

	op->run->change = run->attached;
	op->run->accepted = op->run->change->representation;
	op->run->change->representation = NULL;
}

static void
on_attached(void *arg, int error)
{
	struct op_run *run = arg;
	struct op *op = run->op;
	struct operations *operations = op->route->operations;
	store_done_fn done = run->attach_done;
	void *done_arg = run->attach_arg;

	run->starting = false;
	if (!error)
		take_change(run);
	run->attached = NULL;
	if (!operations->pool || operations->draining) {
		op->route->load->waiting--;
		op_end_stopped(op, OP_STOP_DRAIN);
	} else if (run->stop != OP_GOES_ON) {
		op->route->load->waiting--;
		op_end_stopped(op, run->stop);
	} else if (error) {
		op_hold(op);
	} else {
		op_queue_enter(run);
		timer_start(operations->config.timers, &op->timer, op->route->queue_timeout_ms);
	}
	done(done_arg, error);
	op_start_next(operations);
}

void
operations_attach(struct operations *operations, struct op *op, struct store_change *change,
	store_done_fn done, void *arg)
{
	struct op_run *run = op->run;

	assert(op_unjudged_input(op));
	let_go(run);
	timer_stop(&op->timer);
	run->starting = true;
	run->attached = change;
	run->attach_done = done;
	run->attach_arg = arg;
	store_attach(operations->config.store, &op->id, op->sequence, change, on_attached, run);
}

void
op_judge(struct op *op)
{
	if (!op_unjudged_input(op))
		return;
	if (op->route->judge) {
		op->route->judge(op->route->judge_arg, op);
		return;
	}
	/* The route has gone in this moment. */
	let_go(op->run);
	op->route->load->waiting--;
	op_end_with(op, OP_FAILED, PROBLEM_INTERRUPTED, NULL);
}

void
operations_judge_recovered(struct operations *operations)
{
	struct list held = LIST_INIT(held);

	/* Not from within the list: one that is judged leaves it at once. */
	list_for_each_safe(node, &operations->blocked) {
		struct op_run *run = container_of(node, struct op_run, link);
		if (run->unjudged) {
			list_remove(node);
			list_add_tail(&held, node);
		}
	}
	while (!list_is_empty(&held)) {
		struct list *first = held.next;
		list_remove(first);
		list_add_tail(&operations->blocked, first);
		op_judge(container_of(first, struct op_run, link)->op);
	}
}

void
op_route_set_judge(struct op_route *route, op_judge_fn fn, void *arg)
{
	route->judge = fn;
	route->judge_arg = arg;
}
