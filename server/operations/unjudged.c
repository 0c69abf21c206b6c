/*
 * Operations that were accepted before their bodies were validated.  They are held, and look queued, until the
 * layer above reports the verdict.  Their queue timeout runs, and they can be cancelled.
 */
#include "operations/private.h"

#include "store/resources.h"

#include <assert.h>

const struct work_input *
op_unjudged_input(const struct op *op)
{
	const struct op_run *run = op->run;

	return run && run->phase == PHASE_HELD && !op->route->operations->draining ? run->input : NULL;
}

void
operations_pass(struct operations *operations, struct op *op)
{
	assert(op_unjudged_input(op));
	op_queue_enter(op->run);
	op_step(operations);
}

void
operations_fail(struct op *op, struct work_result *verdict)
{
	assert(op_unjudged_input(op));
	op_end(op, OP_FAILED, verdict);
}

/* Makes the attached change a part of the operation. */
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

	if (!error)
		take_change(run);
	run->attached = NULL;
	if (!operations->pool || operations->draining) {
		op_end_stopped(op, OP_STOP_DRAIN);
	} else if (run->stop != OP_GOES_ON) {
		op_end_stopped(op, run->stop);
	} else if (error) {
		op_go(op, PHASE_HELD);
	} else {
		op_queue_enter(run);
	}
	done(done_arg, error);
	op_step(operations);
}

void
operations_attach(struct operations *operations, struct op *op, struct store_change *change,
	store_done_fn done, void *arg)
{
	struct op_run *run = op->run;

	assert(op_unjudged_input(op));
	op_go(op, PHASE_ATTACHING);
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
	/* A reload has just removed the route. */
	op_end_with(op, OP_FAILED, PROBLEM_INTERRUPTED, NULL);
}

void
operations_judge_recovered(struct operations *operations)
{
	struct list held = LIST_INIT(held);

	/* An operation may leave the list while it is judged. */
	list_splice(&held, &operations->held);
	while (!list_is_empty(&held)) {
		struct list *first = held.next;
		list_remove(first);
		list_add_tail(&operations->held, first);
		op_judge(container_of(first, struct op_run, link)->op);
	}
}

void
op_route_set_judge(struct op_route *route, op_judge_fn fn, void *arg)
{
	route->judge = fn;
	route->judge_arg = arg;
}
