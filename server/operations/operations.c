/* The operations as a whole: made and freed, found, cancelled and counted. */
#include "operations/operations.h"

#include "operations/private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int
operations_new(const struct operations_config *config, struct operations **ret_operations)
{
	struct operations *operations = xcalloc(1, sizeof *operations);
	int rc = pool_new("work", config->mailbox, config->workers, &operations->pool);

	if (rc < 0) {
		free(operations);
		return rc;
	}
	operations->config = *config;
	operations->transfers = transfers_new(config->mailbox);
	hash_init(&operations->table);
	hash_init(&operations->keys);
	list_init(&operations->routes);
	list_init(&operations->all);
	list_init(&operations->cursors);
	list_init(&operations->ring);
	list_init(&operations->running);
	list_init(&operations->held);
	list_init(&operations->blocked);
	hash_init(&operations->turns);
	timer_init(&operations->retry, NULL);
	timer_init(&operations->drained, NULL);
	*ret_operations = operations;
	return 0;
}

static void
free_op_in_table(struct hash_node *node, void *arg)
{
	struct op *op = container_of(node, struct op, by_id);

	hash_remove(arg, node);
	list_remove(&op->link);
	if (op->run)
		op_run_free(op);
	op_free(op);
}

void
operations_free(struct operations *operations)
{
	if (!operations)
		return;
	assert(!operations->pool);
	transfers_free(operations->transfers);
	hash_each(&operations->table, free_op_in_table, &operations->table);
	hash_fini(&operations->table);
	hash_fini(&operations->keys);
	hash_fini(&operations->turns);
	free(operations);
}

void
op_tell(void (*fn)(void *arg, const struct op *op), const struct op *op)
{
	if (fn)
		fn(op->route->operations->config.arg, op);
}

struct op *
operations_find(struct operations *operations, const struct id *id)
{
	struct op *op = op_table_find(operations, id);

	return op && op->state != OP_ACCEPTING ? op : NULL;
}

enum op_cancel
operations_cancel(struct op *op)
{
	struct operations *operations = op->route->operations;
	struct op_run *run = op->run;

	if (op_has_ended(op))
		return op->state == OP_CANCELLED ? OP_CANCEL_DONE : OP_CANCEL_TOO_LATE;
	if (run->phase == PHASE_ENDING)
		return run->end == OP_CANCELLED ? OP_CANCEL_SOON : OP_CANCEL_TOO_LATE;
	if (run->phase != PHASE_LEFT && !op_waits(op)) {
		op_stop_work(op, OP_STOP_CANCEL, WORK_STOP);
		return OP_CANCEL_STOPPING;
	}
	op_end_with(op, OP_CANCELLED, PROBLEM_CANCELLED, NULL);
	op_step(operations);
	return op_has_ended(op) ? OP_CANCEL_DONE : OP_CANCEL_SOON;
}

void
operations_abandon(struct operations *operations, struct op *op)
{
	if (!op->sync || op->key || !op_waits(op) || !list_is_empty(&op->run->watchers))
		return;
	op_tell(operations->config.on_drop, op);
	if (op->stored) {
		/* Its resource is PENDING until this is durable. */
		op_end_with(op, OP_CANCELLED, PROBLEM_CANCELLED, "The client has left.");
	} else {
		op_run_free(op);
		op_free(op);
	}
	op_step(operations);
}

int
op_progress(const struct op *op, char *ret_text, size_t size)
{
	int percent = op->progress;

	if (size > 0)
		ret_text[0] = '\0';
	if (op->run && op->run->phase == PHASE_WORKING) {
		pthread_mutex_lock(&op->run->lock);
		percent = op->run->progress;
		if (size > 0) {
			strncpy(ret_text, op->run->progress_text, size - 1);
			ret_text[size - 1] = '\0';
		}
		pthread_mutex_unlock(&op->run->lock);
	}
	return percent;
}

static int64_t
oldest_queued_ms(const struct operations *operations)
{
	int64_t oldest_ms = 0;

	list_for_each(node, &operations->ring) {
		struct op_load *load = container_of(node, struct op_load, link);
		struct op_run *first = container_of(load->queued.next, struct op_run, link);
		if (oldest_ms == 0 || first->op->accepted_ms < oldest_ms)
			oldest_ms = first->op->accepted_ms;
	}
	return oldest_ms;
}

void
operations_get_stats(struct operations *operations, struct operations_stats *ret_stats)
{
	*ret_stats = (struct operations_stats){
		.outstanding = operations->outstanding,
		.queued = operations->queued,
		.running = operations->run_count + operations->begun_count,
		.capacity = operations->config.capacity,
		.threads = operations->pool ? pool_threads(operations->pool) : 0,
		.busy_threads = operations->pool ? pool_busy(operations->pool) : 0,
		.oldest_queued_ms = oldest_queued_ms(operations),
		.kept = operations->kept,
		.tombstones = operations->tombstones,
		.retained_bytes = operations->retained_bytes,
	};
	memcpy(ret_stats->refused, operations->refused, sizeof ret_stats->refused);
}
