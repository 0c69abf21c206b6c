/* The drain: nothing new begins, running work may end, waiting operations are left to the next start. */
#include "common/clock.h"
#include "operations/private.h"

#include <assert.h>

static void
on_drained_timer(struct timer *timer)
{
	struct operations *operations = container_of(timer, struct operations, drained);

	void (*on_drained)(void *arg) = operations->on_drained;

	operations->on_drained = NULL;
	on_drained(operations->drained_arg);
}

void
operations_check_drained(struct operations *operations)
{
	if (operations->on_drained && operations->run_count + operations->begun_count == 0 &&
		!timer_is_running(&operations->drained))
		timer_start(operations->config.timers, &operations->drained, 0);
}

/* Leaves the operations that wait to the next start.  Synchronous calls that are not stored get a 503. */
static void
let_go_of_queue(struct operations *operations)
{
	while (!list_is_empty(&operations->held))
		op_interrupt(container_of(operations->held.next, struct op_run, link)->op);
	while (!list_is_empty(&operations->blocked))
		op_interrupt(container_of(operations->blocked.next, struct op_run, link)->op);
	while (!list_is_empty(&operations->ring)) {
		struct op_load *load = container_of(operations->ring.next, struct op_load, link);

		op_interrupt(container_of(load->queued.next, struct op_run, link)->op);
	}
}

void
operations_drain(struct operations *operations, int64_t timeout_ms, void (*on_drained)(void *arg), void *arg)
{
	assert(!operations->draining);
	operations->drain_ends_ms = clock_mono_ms() + timeout_ms;
	operations->draining = true;
	operations->on_drained = on_drained;
	operations->drained_arg = arg;
	timer_init(&operations->drained, on_drained_timer);
	timer_stop(&operations->retry);
	let_go_of_queue(operations);
	op_step(operations);
}

void
operations_stop_running(struct operations *operations, enum work_stop stop)
{
	list_for_each(node, &operations->running)
		op_stop_work(container_of(node, struct op_run, link)->op, OP_STOP_DRAIN, stop);
}

void
operations_halt(struct operations *operations)
{
	if (!operations->draining) {
		operations->draining = true;
		let_go_of_queue(operations);
	}
	timer_stop(&operations->retry);
	operations_stop_running(operations, WORK_KILL);
	pool_free(operations->pool);
	operations->pool = NULL;
	transfers_stop(operations->transfers);
	mailbox_drain(operations->config.mailbox);
	timer_stop(&operations->drained);
	operations->on_drained = NULL;
}
