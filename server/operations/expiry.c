/* What an operation's timer does: time limits before its end, keeping and forgetting after it. */
#include "common/clock.h"
#include "operations/private.h"

#include <stdlib.h>

void
op_forget(struct op *op)
{
	if (op->state == OP_EXPIRED)
		op->route->operations->tombstones--;
	store_forget(op->route->operations->config.store, &op->id, op->sequence);
	op_table_remove(op->route->operations, op);
	op_free(op);
}

/* Drops the result; what is left answers 410 for a while. */
static void
expire(struct op *op)
{
	struct operations *operations = op->route->operations;
	int64_t for_ms = operations->config.keep_tombstone_ms;

	op_set_state(op, OP_EXPIRED);
	operations->kept--;
	fields_fini(&op->fields);
	operations->retained_bytes -= blob_len(op->body);
	blob_unref(op->body);
	op->body = NULL;
	free(op->detail);
	op->detail = NULL;
	store_expire(operations->config.store, &op->id, op->sequence, clock_wall_ms() + for_ms);
	op_keep(op, for_ms);
}

void
op_keep(struct op *op, int64_t for_ms)
{
	if (op->state == OP_EXPIRED)
		op->route->operations->tombstones++;
	else
		op->route->operations->kept++;
	timer_start(op->route->operations->config.timers, &op->timer, for_ms);
}

static void
queue_timeout(struct op *op)
{
	op_queue_remove(op->run);
	op->route->load->waiting--;
	op_end_with(op, OP_TIMED_OUT, PROBLEM_QUEUE_TIMEOUT, NULL);
}

void
op_on_timer(struct timer *timer)
{
	struct op *op = container_of(timer, struct op, timer);

	switch ((enum op_state)op->state) {
	case OP_QUEUED:
		queue_timeout(op);
		break;
	case OP_RUNNING:
		op_stop_work(op, OP_STOP_TIMEOUT, WORK_STOP);
		break;
	case OP_SUCCEEDED:
	case OP_FAILED:
	case OP_TIMED_OUT:
	case OP_CANCELLED:
		expire(op);
		break;
	case OP_EXPIRED:
		op_forget(op);
		break;
	case OP_ACCEPTING:
	case OP_STATE_COUNT:
		break;
	}
}
