/* The operations as a whole: see operations.h. */
#include "operations/operations.h"

#include "common/clock.h"
#include "common/log.h"
#include "operations/idempotency.h"
#include "operations/private.h"
#include "store/resources.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* What Retry-After never goes above: some clients turn huge values into none at all. */
#define RETRY_AFTER_MAX_S 600

/* Of a response that is about to be read: as much as a processor fetches at a time. */
#define CACHE_LINE_BYTES 64
#define PREFETCHED_LINES 8

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
	pages_init(&operations->pages);
	slab_init(&operations->ops, &operations->pages, sizeof(struct op));
	for (size_t i = 0; i < OP_SHELF_COUNT; i++)
		slab_init(&operations->shelves[i], &operations->pages, (i + 1) * OP_SHELF_STEP);
	operations->transfers = transfers_new(config->mailbox);
	hash_init(&operations->table);
	hash_init(&operations->keys);
	list_init(&operations->routes);
	list_init(&operations->all);
	list_init(&operations->cursors);
	list_init(&operations->ring);
	list_init(&operations->running);
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
	if (op->run) {
		if (!list_is_empty(&op->run->link))
			op_queue_remove(op->run);
		op_run_free(op);
	}
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
	slab_fini(&operations->ops);
	for (size_t i = 0; i < OP_SHELF_COUNT; i++)
		slab_fini(&operations->shelves[i]);
	pages_fini(&operations->pages);
	free(operations);
}

static struct op_load *
load_ref(struct operations *operations, const char *key)
{
	list_for_each(node, &operations->routes) {
		struct op_route *route = container_of(node, struct op_route, link);

		if (strcmp(route->key, key) == 0) {
			route->load->references++;
			return route->load;
		}
	}
	struct op_load *load = xcalloc(1, sizeof *load);
	load->references = 1;
	list_init(&load->link);
	list_init(&load->queued);
	return load;
}

static void
load_unref(struct op_load *load)
{
	if (--load->references == 0)
		free(load);
}

struct op_route *
operations_add_route(struct operations *operations, const struct op_route_config *config)
{
	struct op_route *route = xcalloc(1, sizeof *route);

	route->operations = operations;
	route->references = 1;
	route->key = xstrdup(config->key);
	route->load = load_ref(operations, config->key);
	route->work = config->work ? work_ref(config->work) : NULL;
	route->concurrency = config->concurrency;
	route->queue_limit = config->queue;
	route->queue_timeout_ms = config->queue_timeout_ms;
	route->run_timeout_ms = config->run_timeout_ms;
	route->keep_ms = config->keep_ms;
	route->keep_timed_out_ms = config->keep_timed_out_ms;
	route->max_result_bytes = config->max_result_bytes;
	route->rerun = config->rerun;
	route->dialect = config->dialect;
	route->collection = config->collection ? store_collection_ref(config->collection) : NULL;
	list_add_tail(&operations->routes, &route->link);
	return route;
}

struct op_route *
op_route_ref(struct op_route *route)
{
	route->references++;
	return route;
}

void
op_route_unref(struct op_route *route)
{
	if (!route || --route->references > 0)
		return;
	list_remove(&route->link);
	load_unref(route->load);
	work_unref(route->work);
	store_collection_unref(route->collection);
	free(route->key);
	free(route);
}

bool
op_is_of_route(const struct op *op, const struct op_route *route)
{
	return strcmp(op->route->key, route->key) == 0;
}

struct op_run *
op_run_new(struct op *op, struct work_input *input)
{
	struct op_run *run = xcalloc(1, sizeof *run);

	run->op = op;
	run->input = input;
	if (input)
		op->route->operations->retained_bytes += blob_len(input->body);
	list_init(&run->link);
	list_init(&run->turn_link);
	list_init(&run->acceptors);
	list_init(&run->watchers);
	pthread_mutex_init(&run->lock, NULL);
	op->run = run;
	return run;
}

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

void
op_tell(void (*fn)(void *arg, const struct op *op), const struct op *op)
{
	if (fn)
		fn(op->route->operations->config.arg, op);
}

void
op_enqueue(struct op *op)
{
	op_set_state(op, OP_QUEUED);
	op_queue_enter(op->run);
	timer_start(op->route->operations->config.timers, &op->timer, op->route->queue_timeout_ms);
	op_start_next(op->route->operations);
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
		operations->outstanding--;
		op->route->load->waiting--;
		op_run_free(op);
		op_free(op);
		tell_acceptors(&acceptors, NULL, error);
		return;
	}
	op_tell(operations->config.on_accept, op);
	if (op->run->change) {
		op->run->accepted = op->run->change->representation;
		op->run->change->representation = NULL;
	}
	if (op->run->verdict.status) {
		op_set_state(op, OP_QUEUED);
		op->route->load->waiting--;
		tell_acceptors(&acceptors, op, 0);
		op_end(op, op->run->verdict.status >= 400 ? OP_FAILED : OP_SUCCEEDED, &op->run->verdict);
		return;
	}
	if (op->run->input->unjudged)
		op_hold(op);
	else
		op_enqueue(op);
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
	operations->outstanding++;
	op->route->load->waiting++;
	if (submission->key)
		op_key_add(op, submission->key);
	if (submission->sync && !submission->key && !submission->change) {
		op_tell(operations->config.on_accept, op);
		op_enqueue(op);
	} else {
		accept_durably(op, submission);
	}
	*ret_op = op;
	return OP_TAKEN;
}

/* A response on its shelf: its body with the header fields behind it. */
static void
prefetch_response(const struct op *op)
{
	const char *at = (const char *)op->body, *end = op->fields.wire + op->fields.len;

	if (!at || op->fields.size > 0 || op->fields.len == 0)
		return;
	for (int lines = 0; at < end && lines < PREFETCHED_LINES; lines++, at += CACHE_LINE_BYTES)
		__builtin_prefetch(at);
	__builtin_prefetch(end - 1);
}

struct op *
operations_find(struct operations *operations, const struct id *id)
{
	struct op *op = op_table_find(operations, id);

	if (!op || op->state == OP_ACCEPTING)
		return NULL;
	prefetch_response(op);
	return op;
}

enum op_cancel
operations_cancel(struct operations *operations, struct op *op)
{
	struct op_run *run = op->run;

	(void)operations;
	if (op_has_ended(op))
		return op->state == OP_CANCELLED ? OP_CANCEL_DONE : OP_CANCEL_TOO_LATE;
	if (run->ending)
		return run->end == OP_CANCELLED ? OP_CANCEL_SOON : OP_CANCEL_TOO_LATE;
	if (run->starting || run->launched) {
		op_stop_work(op, OP_STOP_CANCEL, WORK_STOP);
		return OP_CANCEL_STOPPING;
	}
	op_queue_remove(run);
	op->route->load->waiting--;
	op_end_with(op, OP_CANCELLED, PROBLEM_CANCELLED, NULL);
	return op_has_ended(op) ? OP_CANCEL_DONE : OP_CANCEL_SOON;
}

void
operations_abandon(struct operations *operations, struct op *op)
{
	bool waits = op->state == OP_QUEUED && !op->run->starting && !op->run->ending;

	if (!op->sync || op->key || !waits || !list_is_empty(&op->run->watchers))
		return;
	op_tell(operations->config.on_drop, op);
	op_queue_remove(op->run);
	op->route->load->waiting--;
	if (op->stored) {
		/* Its resource is PENDING until this is durable. */
		op_end_with(op, OP_CANCELLED, PROBLEM_CANCELLED, "The client has left.");
		return;
	}
	operations->outstanding--;
	op_run_free(op);
	op_free(op);
}

static unsigned
seconds(int64_t ms)
{
	int64_t s = (ms + 999) / 1000;

	return s < 1 ? 1 : s > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S : (unsigned)s;
}

/* When what waits now will have begun, as far as recent run times tell. */
static int64_t
queue_ms(const struct op_route *route)
{
	unsigned slots = route->concurrency ? route->concurrency : route->operations->config.workers;

	return route->load->run_ms * route->load->waiting / slots;
}

unsigned
op_retry_after(const struct op *op)
{
	if (op->state == OP_RUNNING)
		return seconds(op->route->load->run_ms - (clock_wall_ms() - op->started_ms));
	return seconds(queue_ms(op->route) + op->route->load->run_ms);
}

unsigned
op_route_retry_after(const struct op_route *route)
{
	return seconds(queue_ms(route));
}

int
op_progress(const struct op *op, char *ret_text, size_t size)
{
	int percent = op->progress;

	if (size > 0)
		ret_text[0] = '\0';
	if (op->run && op->run->launched) {
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
		.running = operations->run_count,
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

/* Whether another route of that key was added after this one. */
static bool
is_superseded(const struct operations *operations, const struct op_route *route)
{
	for (const struct list *node = route->link.next; node != &operations->routes; node = node->next) {
		const struct op_route *later =
			container_of((struct list *)(uintptr_t)node, struct op_route, link);
		if (strcmp(later->key, route->key) == 0)
			return true;
	}
	return false;
}

void
operations_each_route(
	struct operations *operations, void (*fn)(void *arg, const struct op_route_stats *stats), void *arg)
{
	list_for_each(node, &operations->routes) {
		const struct op_route *route = container_of(node, struct op_route, link);
		struct op_route_stats stats = {
			.key = route->key,
			.work = route->work,
			.waiting = route->load->waiting,
			.running = route->load->running,
		};
		if (route->work && !is_superseded(operations, route))
			fn(arg, &stats);
	}
}
