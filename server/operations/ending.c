/*
 * The end of an operation and the time after it.  An end is decided once, then made durable, and only then
 * shown.  Until it is shown, the operation looks as it did before, and nothing changes the end any more.
 * The operation's timer is here as well: the time limits before the end, and keeping and forgetting after it.
 */
#include "common/clock.h"
#include "common/log.h"
#include "operations/idempotency.h"
#include "operations/private.h"
#include "store/resources.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void
put_retry_after(const struct op *op, struct work_result *result)
{
	enum op_refusal why = result->problem == PROBLEM_DRAINING ? OP_REFUSED_DRAINING : OP_TAKEN;
	unsigned seconds = result->retry_after_s;

	fields_putf(&result->fields, "Retry-After", "%u",
		seconds ? seconds : op_route_retry_after(op->route, why));
}

/* Writes a problem as the final response. */
static void
write_problem(struct op *op, struct work_result *result)
{
	struct text document = {0};
	char instance[32 + ID_TEXT_SIZE] = "/operations/";
	struct problem_report report = {
		.problem = result->problem,
		.status = result->status,
		.detail = result->detail,
		.dialect = op->route->dialect,
	};

	report.request_id = instance + strlen(instance);
	id_format(&op->id, instance + strlen(instance));
	if (!op->sync)
		report.instance = instance;
	problem_format(&report, &document);
	fields_put(&result->fields, "Content-Type", PROBLEM_CONTENT_TYPE);
	result->status = report.status ? report.status : problem_status(report.problem);
	if (result->status == 503)
		put_retry_after(op, result);
	result->body = blob_take_text(&document);
	if (!result->detail)
		result->detail = xstrdup(problem_title(result->problem));
}

static int64_t
keep_ms(const struct op *op, enum op_state end)
{
	return end == OP_TIMED_OUT ? op->route->keep_timed_out_ms : op->route->keep_ms;
}

/* Takes the store's answer to the change as the final response, unless the work has failed. */
static void
take_response(struct op *op)
{
	struct store_change *change = op->run->change;

	if (change->end_failed) {
		op->run->end = OP_FAILED;
		free(op->detail);
		op->detail = xstrdup(change->message);
	}
	if (!change->failed) {
		op->route->operations->retained_bytes += blob_len(change->body);
		op->status = (int16_t)change->status;
		op->fields = change->fields;
		op->body = change->body;
		change->fields = (struct fields){0};
		change->body = NULL;
	}
	store_change_free(change);
	op->run->change = NULL;
	free(op->run->accepted);
	op->run->accepted = NULL;
}

/* Notes the end in the change.  The store merges the work's answer into the resource. */
static void
settle_change(struct op *op)
{
	struct store_change *change = op->run->change;

	change->failed = op->run->end != OP_SUCCEEDED;
	change->dialect = op->route->dialect;
	change->operation = op->id;
	if (change->failed) {
		change->message = xstrdup(op->detail ? op->detail : "The change failed.");
		return;
	}
	change->answer = op->body;
	op->route->operations->retained_bytes -= blob_len(op->body);
	op->body = NULL;
	fields_fini(&op->fields);
	op->fields = (struct fields){0};
}

bool
op_frees_key(const struct op *op, enum op_state end)
{
	return op->started_ms == 0 && op->status >= 500 && (end == OP_FAILED || end == OP_TIMED_OUT);
}

/* Shows an end that is durable or need not be. */
static void
publish(struct op *op)
{
	struct operations *operations = op->route->operations;
	struct list watchers = LIST_INIT(watchers);
	bool changed = op->run->change;

	if (changed)
		take_response(op);
	enum op_state end = op->run->end;

	if (end == OP_SUCCEEDED)
		op->progress = 100;
	op_set_state(op, end);
	if (op->stored || !op->sync)
		op_shelve(op);
	if (op_frees_key(op, end))
		op_key_remove(op);
	list_splice(&watchers, &op->run->watchers);
	op_run_free(op);
	op_tell(operations->config.on_end, op);
	bool is_unknown = op->sync && !op->stored; /* to the store */
	bool is_dropped = is_unknown || (op->sync && !op->key && operations->pool);
	if (!is_dropped)
		op_keep(op, keep_ms(op, end));
	op_notify(op, &watchers);
	if (is_unknown)
		op_free(op);
	else if (is_dropped)
		op_forget(op);
}

static void
drop_result(struct op *op)
{
	op->route->operations->retained_bytes -= blob_len(op->body);
	fields_fini(&op->fields);
	blob_unref(op->body);
	op->body = NULL;
	free(op->detail);
	op->detail = NULL;
}

/* Makes the end durable, or shows it at once where the operation is not stored. */
static void record_end(struct op *op, enum op_state end, struct work_result *result);

static void
on_end_durable(void *arg, int error)
{
	struct op *op = arg;
	struct operations *operations = op->route->operations;
	struct work_result lost = {.problem = PROBLEM_INTERNAL};

	/* When the process ends, an end may be given up.  The next process then decides.  The store may be closed
	 * once the operations are halted. */
	if (error == -ECANCELED || (error && !operations->pool))
		return;
	if (error == 0) {
		publish(op);
	} else {
		log_error("result not kept", "id=%s error=%s", LOG_ID(&op->id), strerrorname_np(-error));
		drop_result(op);
		lost.detail = xstrdup("The result could not be kept.");
		record_end(op, OP_FAILED, &lost);
	}
	op_step(operations);
}

static void
record_end(struct op *op, enum op_state end, struct work_result *result)
{
	struct op_run *run = op->run;
	struct store_operation record;

	if (result->problem != PROBLEM_NONE)
		write_problem(op, result);
	run->end = end;
	op->ended_ms = clock_wall_ms();
	op->status = (int16_t)result->status;
	op->fields = result->fields;
	op->body = result->body;
	op->route->operations->retained_bytes += blob_len(op->body);
	op->detail = result->detail;
	*result = (struct work_result){0};
	if (run->change)
		settle_change(op);
	if (!op->stored) {
		publish(op);
		return;
	}
	op_store_record(op, &record);
	record.state = STORE_ENDED;
	record.change = run->change;
	record.end = op_state_name(end);
	record.forget_ms = op->ended_ms + keep_ms(op, end);
	store_end(op->route->operations->config.store, &record, on_end_durable, op);
}

void
op_end(struct op *op, enum op_state end, struct work_result *result)
{
	op_go(op, PHASE_ENDING);
	record_end(op, end, result);
}

void
op_end_with(struct op *op, enum op_state end, enum problem problem, const char *detail)
{
	struct work_result result = {.problem = problem, .detail = xstrdup(detail)};

	op_end(op, end, &result);
}

void
op_interrupt(struct op *op)
{
	if (op->sync && !op->stored) {
		op_end_with(op, OP_FAILED, PROBLEM_DRAINING, NULL);
		return;
	}
	op_go(op, PHASE_LEFT);
	op_notify(op, &op->run->watchers);
}

void
op_forget(struct op *op)
{
	if (op->state == OP_EXPIRED)
		op->route->operations->tombstones--;
	store_forget(op->route->operations->config.store, &op->id, op->sequence);
	op_table_remove(op->route->operations, op);
	op_free(op);
}

/* Drops the result.  The tombstone answers 410 for a while.  done may be NULL. */
static void
expire(struct op *op, store_done_fn done, void *arg)
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
	store_expire(operations->config.store, &op->id, op->sequence, clock_wall_ms() + for_ms, done, arg);
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

void
op_on_timer(struct timer *timer)
{
	struct op *op = container_of(timer, struct op, timer);
	struct operations *operations = op->route->operations;

	switch ((enum op_state)op->state) {
	case OP_QUEUED:
		op_end_with(op, OP_TIMED_OUT, PROBLEM_QUEUE_TIMEOUT, NULL);
		break;
	case OP_RUNNING:
		op_stop_work(op, OP_STOP_TIMEOUT, WORK_STOP);
		break;
	case OP_SUCCEEDED:
	case OP_FAILED:
	case OP_TIMED_OUT:
	case OP_CANCELLED:
		expire(op, NULL, NULL);
		break;
	case OP_EXPIRED:
		op_forget(op);
		break;
	case OP_ACCEPTING:
	case OP_STATE_COUNT:
		break;
	}
	op_step(operations);
}

void
operations_remove_result(struct op *op, store_done_fn done, void *arg)
{
	assert(op_has_ended(op) && op->state != OP_EXPIRED);
	timer_stop(&op->timer);
	expire(op, done, arg);
}
