/*
 * Recovery: the operations that the store kept, taken back at start.  Ended ones are readable as before,
 * queued ones wait again in their order, and their time limits start anew.  Processes that the dead server left
 * are killed first; then the operations that ran are queued again or end as interrupted, as their route says.
 */
#include "common/clock.h"
#include "common/log.h"
#include "operations/idempotency.h"
#include "operations/private.h"
#include "store/resources.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How long the interrupted operations of a route that is gone are kept. */
#define STAND_IN_KEEP_MS (60 * 60 * 1000)

struct recovery {
	struct operations *operations;
	struct op_route *(*find_route)(void *arg, const char *key);
	const char *(*find_style)(const char *name);
	void *arg;
	struct list interrupted; /* struct op_run: to be ended once the store takes writes */
	uint64_t ended, queued, tombstones;
};

/* Whether the configuration has the route no more. */
static bool
is_stand_in(const struct op_route *route)
{
	return !route->work;
}

/* A route that stands in for one that the configuration has no more, and gives its operations and their keys to a later
 * one of the same path.  The caller owns the reference. */
static struct op_route *
stand_in_ref(struct operations *operations, const char *key)
{
	const char *path = strchr(key, '/'); /* behind the methods, in the keys of versions before 0.2 */
	struct op_route_config config = {
		.key = path ? path : key, .keep_ms = STAND_IN_KEEP_MS, .keep_timed_out_ms = STAND_IN_KEEP_MS};

	list_for_each(node, &operations->routes) {
		struct op_route *route = container_of(node, struct op_route, link);
		if (is_stand_in(route) && strcmp(route->key, config.key) == 0)
			return op_route_ref(route);
	}
	return operations_add_route(operations, &config);
}

static struct op *
new_op(struct recovery *recovery, const char *key)
{
	struct op_route *route = recovery->find_route(recovery->arg, key);

	if (route)
		return op_new(route);
	route = stand_in_ref(recovery->operations, key);
	struct op *op = op_new(route);
	op_route_unref(route);
	return op;
}

static struct op *
restore_op(struct recovery *recovery, const struct store_operation *record)
{
	const char *style = recovery->find_style(record->style);
	struct op *op = new_op(recovery, record->route);

	op->id = record->id;
	op->style = style ? style : "";
	op->sync = op->style[0] == '\0';
	op->principal = xstrdup(record->principal);
	op->sequence = record->sequence;
	op->accepted_ms = record->accepted_ms;
	op->started_ms = record->started_ms;
	op->ended_ms = record->ended_ms;
	op->status = (int16_t)record->status;
	op->stored = true;
	if (record->sequence > recovery->operations->sequence)
		recovery->operations->sequence = record->sequence;
	op_table_add(recovery->operations, op);
	if (record->key)
		op_key_add(op, op_key_new(op->route, op->principal, record->key, record->key_digest));
	return op;
}

static void
restore_end(struct recovery *recovery, struct op *op, const struct store_operation *record)
{
	enum op_state state = record->state == STORE_TOMBSTONE ? OP_EXPIRED : op_state_find(record->end);

	if (state < OP_SUCCEEDED || state > OP_EXPIRED ||
		fields_from_wire(&op->fields, record->fields, record->fields_len) < 0) {
		log_error("stored operation cannot be read", "id=%s", LOG_ID(&op->id));
		state = OP_EXPIRED;
	}
	op->state = (uint8_t)state;
	if (op_frees_key(op, op_state_find(record->end)))
		op_key_remove(op);
	op->progress = state == OP_SUCCEEDED ? 100 : 0;
	if (state != OP_EXPIRED) {
		op->body = blob_ref(record->result);
		recovery->operations->retained_bytes += blob_len(op->body);
		op->detail = xstrdup(record->detail);
		op_shelve(op);
		recovery->ended++;
	} else {
		recovery->tombstones++;
	}
	int64_t left_ms = record->forget_ms - clock_wall_ms();
	op_keep(op, left_ms > 0 ? left_ms : 0);
}

/* The change that an operation was to make.  The collection may have other settings by now, or be gone. */
static struct store_change *
restore_change(const struct op *op, const struct work_input *input, const struct store_pending *pending)
{
	struct store_collection *collection = op->route->collection;
	char id[ID_TEXT_SIZE];

	if (collection && strcmp(collection->name, pending->collection) == 0)
		store_collection_ref(collection);
	else
		collection = store_collection_new_stand_in(pending);
	id_format(&pending->id, id);
	bool is_create = pending->action == STORE_CREATE;
	char *url = xasprintf("%s%s%s%s", input ? input->base : "", input ? input->path : "",
		is_create ? "/" : "", is_create ? id : "");
	struct store_change *change =
		store_change_new(collection, pending->action, &pending->id, &pending->parent, url);
	free(url);
	store_collection_unref(collection);
	return change;
}

static void
restore_outstanding(struct recovery *recovery, struct op *op, const struct store_operation *record)
{
	struct operations *operations = recovery->operations;
	bool known = !is_stand_in(op->route);
	struct work_input *input = NULL;
	int rc = record->input ? work_input_parse(record->input, record->input_len, &input) : -EINVAL;

	if (rc == 0)
		input->body = blob_ref(record->body);
	struct op_run *run = op_run_new(op, input);
	if (record->pending) {
		op->run->change = restore_change(op, input, record->pending);
		op->run->accepted = store_pending_represent(
			record->pending, op->run->change->collection, op->run->change->url);
	}
	op_tell(operations->config.on_accept, op);
	bool is_held = rc == 0 && input->unjudged && !op->run->change;
	bool is_lost = op->route->collection && !op->run->change && !is_held;
	if (rc < 0 || !known || is_lost || (record->state == STORE_RUNNING && !op->route->rerun)) {
		op_go(op, PHASE_LEFT);
		list_add_tail(&recovery->interrupted, &run->link);
		return;
	}
	recovery->queued++;
	if (is_held)
		op_go(op, PHASE_HELD);
	else
		op_queue_enter(run);
}

static void
on_record(void *arg, const struct store_operation *record)
{
	struct recovery *recovery = arg;
	struct op *op = restore_op(recovery, record);

	if (record->state == STORE_ENDED || record->state == STORE_TOMBSTONE)
		restore_end(recovery, op, record);
	else
		restore_outstanding(recovery, op, record);
}

static void
end_interrupted(struct recovery *recovery)
{
	while (!list_is_empty(&recovery->interrupted)) {
		struct op_run *run = container_of(recovery->interrupted.next, struct op_run, link);
		struct op *op = run->op;
		const char *detail = is_stand_in(op->route)
					     ? "The route of this operation is no longer configured."
					     : NULL;

		list_remove(&run->link);
		op_end_with(op, OP_FAILED, PROBLEM_INTERRUPTED, detail);
	}
}

int
operations_recover(struct operations *operations, struct op_route *(*find_route)(void *arg, const char *key),
	const char *(*find_style)(const char *name), void *arg, char **ret_why)
{
	struct recovery recovery = {
		.operations = operations, .find_route = find_route, .find_style = find_style, .arg = arg};
	int64_t began_ms = clock_mono_ms();
	size_t interrupted = 0;
	unsigned killed = 0;

	list_init(&recovery.interrupted);
	int rc = store_load(operations->config.store, on_record, &recovery, ret_why);
	if (rc == 0 && operations->config.kill_leftovers)
		killed = operations->config.kill_leftovers(operations->config.arg);
	if (rc == 0)
		rc = store_start(operations->config.store);
	if (rc == 0) {
		list_for_each(node, &recovery.interrupted)
			interrupted++;
		end_interrupted(&recovery);
		op_step(operations);
		log_info("recovered",
			"ended=%llu tombstones=%llu queued=%llu interrupted=%zu killed=%u seconds=%.3f",
			(unsigned long long)recovery.ended, (unsigned long long)recovery.tombstones,
			(unsigned long long)recovery.queued, interrupted, killed,
			(double)(clock_mono_ms() - began_ms) / 1000);
	}
	return rc;
}
