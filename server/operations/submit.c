/* From a submission to an operation in the queue: refused, or durable before its client learns of it. */
#include "operations/idempotency.h"
#include "operations/private.h"
#include "store/resources.h"

#include <stdlib.h>

const char *
op_refusal_name(enum op_refusal refusal)
{
	static const char *const names[OP_REFUSALS] = {
		[OP_TAKEN] = "none",
		[OP_REFUSED_CAPACITY] = "capacity",
		[OP_REFUSED_QUEUE] = "queue",
		[OP_REFUSED_DRAINING] = "draining",
		[OP_REFUSED_STORAGE] = "storage",
	};

	return names[refusal];
}

bool
operations_take_room(struct operations *operations, uint64_t bytes)
{
	if (operations->retained_bytes + bytes > operations->config.max_retained_bytes)
		return false;
	operations->retained_bytes += bytes;
	return true;
}

void
operations_give_room(struct operations *operations, uint64_t bytes)
{
	operations->retained_bytes -= bytes;
}

static enum op_refusal
refusal(const struct operations *operations, const struct op_submission *submission)
{
	if (operations->draining)
		return OP_REFUSED_DRAINING;
	if (operations->outstanding >= operations->config.capacity)
		return OP_REFUSED_CAPACITY;
	if (!op_queue_has_room(submission->route))
		return OP_REFUSED_QUEUE;
	if ((!submission->sync || submission->key || submission->change) &&
		!store_is_healthy(operations->config.store))
		return OP_REFUSED_STORAGE;
	if (operations->retained_bytes + blob_len(submission->input->body) >
		operations->config.max_retained_bytes)
		return OP_REFUSED_STORAGE;
	return OP_TAKEN;
}

static void
tell_acceptors(struct list *acceptors, struct op *op, int error)
{
	while (!list_is_empty(acceptors)) {
		struct op_acceptor *acceptor = container_of(acceptors->next, struct op_acceptor, link);
		list_remove(&acceptor->link);
		acceptor->fn(acceptor, op, error);
	}
}

static void
on_accept_durable(void *arg, int error)
{
	struct op *op = arg;
	struct operations *operations = op->route->operations;
	struct list acceptors = LIST_INIT(acceptors);

	list_splice(&acceptors, &op->run->acceptors);
	if (error) {
		op_table_remove(operations, op);
		op_run_free(op);
		op_free(op);
		tell_acceptors(&acceptors, NULL, error);
		op_step(operations);
		return;
	}
	op_tell(operations->config.on_accept, op);
	if (op->run->change) {
		op->run->accepted = op->run->change->representation;
		op->run->change->representation = NULL;
	}
	if (op->run->verdict.status && operations->pool) {
		op_set_state(op, OP_QUEUED);
		tell_acceptors(&acceptors, op, 0);
		op_end(op, op->run->verdict.status >= 400 ? OP_FAILED : OP_SUCCEEDED, &op->run->verdict);
		op_step(operations);
		return;
	}
	if (operations->draining)
		op_go(op, PHASE_LEFT);
	else if (op->run->input->unjudged)
		op_go(op, PHASE_HELD);
	else
		op_queue_enter(op->run);
	op_step(operations);
	bool is_alone = list_is_empty(&acceptors);
	tell_acceptors(&acceptors, op, 0);
	if (is_alone)
		operations_abandon(operations, op); /* its client has left in between */
	op_judge(op);
}

static void
accept_durably(struct op *op, const struct op_submission *submission)
{
	struct store_operation record;
	struct text input = {0};

	op->stored = true;
	op_table_add(op->route->operations, op);
	if (submission->acceptor)
		op_await(op, submission->acceptor, submission->acceptor->fn);
	op_store_record(op, &record);
	work_input_format(op->run->input, &input);
	record.state = STORE_QUEUED;
	record.input = input.data;
	record.input_len = input.len;
	record.body = op->run->input->body;
	record.change = op->run->change;
	if (op->run->verdict.status) {
		/* Without input it cannot be run by mistake after a crash. */
		record.input = NULL;
		record.input_len = 0;
		record.body = NULL;
	}
	store_accept(op->route->operations->config.store, &record, on_accept_durable, op);
	text_fini(&input);
}

enum op_refusal
operations_submit(struct operations *operations, const struct op_submission *submission, struct op **ret_op)
{
	enum op_refusal why = refusal(operations, submission);

	if (why != OP_TAKEN) {
		operations->refused[why]++;
		return why;
	}
	struct op *op = op_new(submission->route);
	id_generate(&op->id);
	submission->input->id = op->id;
	submission->input->unjudged = submission->unjudged;
	op->style = submission->style;
	op->principal = xstrdup(submission->input->principal);
	op->sequence = ++operations->sequence;
	op->sync = submission->sync;
	op_run_new(op, submission->input);
	op->run->change = submission->change;
	if (submission->verdict) {
		op->run->verdict = *submission->verdict;
		*submission->verdict = (struct work_result){0};
	}
	op_go(op, PHASE_ACCEPTING);
	if (submission->key)
		op_key_add(op, submission->key);
	if (submission->sync && !submission->key && !submission->change) {
		op_tell(operations->config.on_accept, op);
		op_queue_enter(op->run);
		op_step(operations);
	} else {
		accept_durably(op, submission);
	}
	*ret_op = op;
	return OP_TAKEN;
}

/* A change that needs no work: no operation is made, but it counts as one until it is done. */
struct direct {
	struct operations *operations;
	store_done_fn done;
	void *arg;
};

static void
on_changed(void *arg, int error)
{
	struct direct *direct = arg;

	direct->operations->outstanding--;
	direct->done(direct->arg, error);
	free(direct);
}

static enum op_refusal
change_refusal(const struct operations *operations)
{
	if (operations->draining)
		return OP_REFUSED_DRAINING;
	if (operations->outstanding >= operations->config.capacity)
		return OP_REFUSED_CAPACITY;
	return store_is_healthy(operations->config.store) ? OP_TAKEN : OP_REFUSED_STORAGE;
}

enum op_refusal
operations_apply(struct operations *operations, struct store_change *change, store_done_fn done, void *arg)
{
	enum op_refusal why = change_refusal(operations);

	if (why != OP_TAKEN) {
		operations->refused[why]++;
		return why;
	}
	struct direct *direct = xcalloc(1, sizeof *direct);
	direct->operations = operations;
	direct->done = done;
	direct->arg = arg;
	operations->outstanding++;
	store_change(operations->config.store, change, on_changed, direct);
	return OP_TAKEN;
}
