/*
 * The life of operations, with a work that the test itself ends, a store that keeps nothing and a clock that the test holds.
 */
#include "common/clock.h"
#include "common/mailbox.h"
#include "common/text.h"
#include "common/timer.h"
#include "operations/idempotency.h"
#include "operations/operations.h"

#include <event2/event.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* A work that begins when it is run and ends when the test says so, or when it is told to stop. */
struct gated_work {
	struct work work;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned begun, may_end, status;
	char order[64]; /* first letter of the path of what began, in order */
};

static void
gated_run(const struct work *work, const struct work_input *input, struct work_control *control,
	struct work_result *ret_result)
{
	struct gated_work *gate = (struct gated_work *)(uintptr_t)work;

	pthread_mutex_lock(&gate->lock);
	gate->order[gate->begun++] = input->path[1];
	pthread_cond_broadcast(&gate->changed);
	while (gate->may_end == 0 && control->stop == WORK_GOES_ON) {
		struct timespec soon;
		clock_gettime(CLOCK_REALTIME, &soon);
		soon.tv_nsec += 1000000;
		soon.tv_sec += soon.tv_nsec / 1000000000;
		soon.tv_nsec %= 1000000000;
		pthread_cond_timedwait(&gate->changed, &gate->lock, &soon);
	}
	if (gate->may_end > 0 && control->stop == WORK_GOES_ON)
		gate->may_end--;
	ret_result->status = (int)gate->status;
	ret_result->body = blob_new("done", 4);
	if (gate->status == 599)
		work_result_set_problem(ret_result, PROBLEM_PROGRAM_FAILED, 0, "It failed.");
	pthread_mutex_unlock(&gate->lock);
}

static void
gated_free(struct work *work)
{
	(void)work;
}

static const struct work_type gated_type = {.name = "gated", .run = gated_run, .free = gated_free};

struct fixture {
	struct event_base *base;
	struct timers *timers;
	struct mailbox *mailbox;
	struct store *store;
	struct operations *operations;
	struct gated_work gate;
	struct op_route *a, *b;
	int64_t now_ms;
	unsigned ends;
	bool drained;
	struct op *accepted;
	int accept_error;
	struct op_acceptor acceptor;
	struct op_watcher watcher;
};

static void
count_end(void *arg, const struct op *op)
{
	(void)op;
	((struct fixture *)arg)->ends++;
}

static struct op_route *
add_route(struct fixture *f, const char *key, unsigned concurrency, unsigned queue)
{
	struct op_route_config config = {
		.key = key,
		.work = &f->gate.work,
		.concurrency = concurrency,
		.queue = queue,
		.queue_timeout_ms = 30000,
		.run_timeout_ms = 60000,
		.keep_ms = 300000,
		.keep_timed_out_ms = 3600000,
		.max_result_bytes = 1000,
	};

	return operations_add_route(f->operations, &config);
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	char *why = NULL;

	f->now_ms = 1000000;
	clock_hold(f->now_ms, 1700000000000);
	f->base = event_base_new();
	f->gate.work = (struct work){.type = &gated_type, .references = 1000};
	f->gate.status = 200;
	pthread_mutex_init(&f->gate.lock, NULL);
	pthread_cond_init(&f->gate.changed, NULL);
	assert_int_equal(timers_new(NULL, &f->timers), 0);
	assert_int_equal(mailbox_new(f->base, &f->mailbox), 0);
	struct store_config store_config = {.mailbox = f->mailbox};
	assert_int_equal(store_open(&store_config, &f->store, &why), 0);
	assert_int_equal(store_start(f->store), 0);
	struct operations_config config = {
		.timers = f->timers,
		.mailbox = f->mailbox,
		.store = f->store,
		.workers = 2,
		.capacity = 8,
		.keep_tombstone_ms = 86400000,
		.stop_grace_ms = 5000,
		.max_retained_bytes = 40,
		.on_end = count_end,
		.arg = f,
	};
	assert_int_equal(operations_new(&config, &f->operations), 0);
	f->a = add_route(f, "a", 1, 2);
	f->b = add_route(f, "b", 0, OP_NO_LIMIT);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	operations_halt(f->operations);
	op_route_unref(f->a);
	op_route_unref(f->b);
	store_close(f->store);
	mailbox_drain(f->mailbox);
	operations_free(f->operations);
	mailbox_free(f->mailbox);
	timers_free(f->timers);
	event_base_free(f->base);
	pthread_cond_destroy(&f->gate.changed);
	pthread_mutex_destroy(&f->gate.lock);
	free(f);
	clock_release();
	return 0;
}

/* Lets the mailbox deliver until condition holds. */
#define UNTIL(condition) \
	do { \
		int64_t give_up_ms = real_ms() + 10000; \
		while (!(condition)) { \
			mailbox_drain(f->mailbox); \
			assert_true(real_ms() < give_up_ms); \
		} \
	} while (0)

static int64_t
real_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
pass_time(struct fixture *f, int64_t ms)
{
	f->now_ms += ms;
	clock_hold(f->now_ms, 1700000000000 + f->now_ms - 1000000);
	while (timers_advance(f->timers, f->now_ms, 1000))
		;
}

static unsigned
begun(struct fixture *f)
{
	pthread_mutex_lock(&f->gate.lock);
	unsigned count = f->gate.begun;
	pthread_mutex_unlock(&f->gate.lock);
	return count;
}

static void
open_gate(struct fixture *f, unsigned count)
{
	pthread_mutex_lock(&f->gate.lock);
	f->gate.may_end += count;
	pthread_cond_broadcast(&f->gate.changed);
	pthread_mutex_unlock(&f->gate.lock);
}

static void
on_accepted(struct op_acceptor *acceptor, struct op *op, int error)
{
	struct fixture *f = container_of(acceptor, struct fixture, acceptor);

	f->accepted = op;
	f->accept_error = error;
}

static enum op_refusal
try_submit(struct fixture *f, struct op_route *route, const char *path, bool sync, struct op_key *key,
	struct op **ret_op)
{
	struct work_input *input = work_input_new();

	input->method = xstrdup("POST");
	input->path = xstrdup(path);
	input->route = xstrdup(path);
	input->remote_address = xstrdup("");
	input->scheme = xstrdup("http");
	input->authority = xstrdup("x");
	input->base = xstrdup("http://x");
	f->acceptor.fn = on_accepted;
	struct op_submission submission = {
		.route = route, .input = input, .style = sync ? "" : "location", .sync = sync, .key = key};
	if (!sync || key)
		submission.acceptor = &f->acceptor;
	enum op_refusal refusal = operations_submit(f->operations, &submission, ret_op);
	if (refusal != OP_TAKEN)
		work_input_free(input);
	return refusal;
}

/* Submits and waits for the acceptance. */
static struct op *
submit(struct fixture *f, struct op_route *route, const char *path)
{
	struct op *op;

	f->accepted = NULL;
	assert_int_equal(try_submit(f, route, path, false, NULL, &op), OP_TAKEN);
	assert_int_equal(op->state, OP_ACCEPTING);
	operations_expect(f->operations, &op->id);
	assert_null(operations_find(f->operations, &op->id));
	UNTIL(f->accepted);
	assert_ptr_equal(f->accepted, op);
	struct id other = op->id;
	other.bytes[0] ^= 1;
	assert_null(operations_find(f->operations, &other));
	assert_ptr_equal(operations_find(f->operations, &op->id), op);
	operations_expect(f->operations, &other);
	assert_null(operations_find(f->operations, &other));
	assert_ptr_equal(operations_find(f->operations, &op->id), op);
	return op;
}

static void
runs_to_its_end_and_expires(void **state)
{
	struct fixture *f = *state;
	struct op *op = submit(f, f->a, "/x");

	UNTIL(op->state == OP_RUNNING);
	open_gate(f, 1);
	UNTIL(op_has_ended(op));
	assert_int_equal(op->state, OP_SUCCEEDED);
	assert_int_equal(op->status, 200);
	assert_int_equal(op->progress, 100);
	assert_memory_equal(blob_data(op->body), "done", 4);
	assert_int_equal(f->ends, 1);
	struct id id = op->id;
	pass_time(f, 299999);
	assert_int_equal(op->state, OP_SUCCEEDED);
	pass_time(f, 1);
	assert_int_equal(op->state, OP_EXPIRED);
	assert_null(op->body);
	assert_int_equal(op->status, 200);
	pass_time(f, 86399999);
	assert_non_null(operations_find(f->operations, &id));
	pass_time(f, 1);
	assert_null(operations_find(f->operations, &id));
}

static void
writes_problems_as_results(void **state)
{
	struct fixture *f = *state;

	f->gate.status = 599;
	struct op *op = submit(f, f->a, "/x");
	open_gate(f, 1);
	UNTIL(op_has_ended(op));
	assert_int_equal(op->state, OP_FAILED);
	assert_int_equal(op->status, 500);
	assert_non_null(strstr(blob_data(op->body), "\"/problems/program-failed\""));
	assert_non_null(strstr(blob_data(op->body), "\"instance\":\"/operations/"));
	char *detail = op_dup_detail(op);
	assert_string_equal(detail, "It failed.");
	free(detail);
}

static void
stores_a_202_of_the_work_as_200(void **state)
{
	struct fixture *f = *state;

	f->gate.status = 202;
	struct op *op = submit(f, f->a, "/x");
	open_gate(f, 1);
	UNTIL(op_has_ended(op));
	assert_int_equal(op->status, 200);
}

static void
is_fair_between_routes(void **state)
{
	struct fixture *f = *state;
	struct op *ops[6];

	/* b fills both workers, then queues more; a comes late and still has its turn at once. */
	for (int i = 0; i < 5; i++)
		ops[i] = submit(f, f->b, "/b");
	ops[5] = submit(f, f->a, "/a");
	UNTIL(begun(f) == 2);
	open_gate(f, 6);
	for (int i = 0; i < 6; i++)
		UNTIL(op_has_ended(ops[i]));
	char *at = memchr(f->gate.order, 'a', 6);
	assert_non_null(at);
	assert_true(at - f->gate.order < 4);
}

static void
keeps_concurrency_and_queue(void **state)
{
	struct fixture *f = *state;
	struct op *first = submit(f, f->a, "/1"), *op;

	UNTIL(begun(f) == 1);
	struct op *second = submit(f, f->a, "/2");
	submit(f, f->a, "/3");
	assert_int_equal(try_submit(f, f->a, "/4", false, NULL, &op), OP_REFUSED_QUEUE);
	assert_int_equal(begun(f), 1);
	assert_int_equal(second->state, OP_QUEUED);
	open_gate(f, 1);
	UNTIL(op_has_ended(first) && begun(f) == 2);
	assert_int_equal(try_submit(f, f->a, "/5", false, NULL, &op), OP_TAKEN);
	open_gate(f, 3);
	UNTIL(f->ends == 4);
	assert_memory_equal(f->gate.order, "1235", 4);
}

static void
keeps_capacity(void **state)
{
	struct fixture *f = *state;
	struct op *op;

	for (int i = 0; i < 8; i++)
		assert_int_equal(try_submit(f, f->b, "/b", true, NULL, &op), OP_TAKEN);
	assert_int_equal(try_submit(f, f->b, "/b", true, NULL, &op), OP_REFUSED_CAPACITY);
	open_gate(f, 8);
	UNTIL(f->ends == 8);
	assert_int_equal(try_submit(f, f->b, "/b", true, NULL, &op), OP_TAKEN);
	open_gate(f, 1);
	UNTIL(f->ends == 9);
}

/* Every result has four bytes; forty may be held. */
static void
keeps_within_what_may_be_held(void **state)
{
	struct fixture *f = *state;
	struct operations_stats stats;
	struct work_input *input;
	struct op *op = NULL;

	for (int i = 0; i < 10; i++) {
		op = submit(f, f->b, "/b");
		open_gate(f, 1);
		UNTIL(op_has_ended(op));
	}
	operations_get_stats(f->operations, &stats);
	assert_int_equal(stats.retained_bytes, 40);
	input = work_input_new();
	input->method = xstrdup("POST");
	input->path = xstrdup("/b");
	input->body = blob_new("x", 1);
	struct op_submission submission = {
		.route = f->b, .input = input, .style = "location", .acceptor = &f->acceptor};
	assert_int_equal(operations_submit(f->operations, &submission, &op), OP_REFUSED_STORAGE);
	pass_time(f, 300000);
	operations_get_stats(f->operations, &stats);
	assert_int_equal(stats.retained_bytes, 0);
	assert_int_equal(operations_submit(f->operations, &submission, &op), OP_TAKEN);
	operations_get_stats(f->operations, &stats);
	assert_int_equal(stats.retained_bytes, 1);
	UNTIL(op->state == OP_RUNNING);
	open_gate(f, 1);
	UNTIL(op_has_ended(op));
	operations_get_stats(f->operations, &stats);
	assert_int_equal(stats.retained_bytes, 4);
}

static void
times_out_in_the_queue(void **state)
{
	struct fixture *f = *state;
	struct op *running = submit(f, f->a, "/1"), *waiting = submit(f, f->a, "/2");

	UNTIL(begun(f) == 1);
	pass_time(f, 30000);
	UNTIL(op_has_ended(waiting));
	assert_int_equal(waiting->state, OP_TIMED_OUT);
	assert_int_equal(waiting->status, 503);
	assert_non_null(strstr(blob_data(waiting->body), "queue-timeout"));
	assert_int_equal(running->state, OP_RUNNING);
	assert_int_equal(begun(f), 1);
	pass_time(f, 3599999);
	assert_int_equal(waiting->state, OP_TIMED_OUT);
	pass_time(f, 1);
	assert_int_equal(waiting->state, OP_EXPIRED);
}

static void
times_out_while_running(void **state)
{
	struct fixture *f = *state;
	struct op *op = submit(f, f->a, "/1");

	UNTIL(begun(f) == 1);
	pass_time(f, 60000);
	UNTIL(op_has_ended(op));
	assert_int_equal(op->state, OP_TIMED_OUT);
	assert_int_equal(op->status, 504);
}

static void
cancels(void **state)
{
	struct fixture *f = *state;
	struct op *running = submit(f, f->a, "/1"), *waiting = submit(f, f->a, "/2"),
		  *third = submit(f, f->a, "/3");

	UNTIL(begun(f) == 1);
	assert_int_equal(operations_cancel(f->operations, waiting), OP_CANCEL_SOON);
	assert_int_equal(operations_cancel(f->operations, waiting), OP_CANCEL_SOON);
	UNTIL(op_has_ended(waiting));
	assert_int_equal(waiting->state, OP_CANCELLED);
	assert_int_equal(waiting->status, 410);
	assert_int_equal(operations_cancel(f->operations, waiting), OP_CANCEL_DONE);
	assert_int_equal(operations_cancel(f->operations, running), OP_CANCEL_STOPPING);
	assert_int_equal(operations_cancel(f->operations, running), OP_CANCEL_STOPPING);
	UNTIL(op_has_ended(running));
	assert_int_equal(running->state, OP_CANCELLED);
	open_gate(f, 1);
	UNTIL(op_has_ended(third));
	assert_int_equal(third->state, OP_SUCCEEDED);
	assert_int_equal(operations_cancel(f->operations, third), OP_CANCEL_TOO_LATE);
	assert_memory_equal(f->gate.order, "13", 2);
}

static void
drops_abandoned_synchronous_calls_that_wait(void **state)
{
	struct fixture *f = *state;
	struct operations_stats stats;
	struct op *running, *waiting;

	assert_int_equal(try_submit(f, f->a, "/1", true, NULL, &running), OP_TAKEN);
	assert_int_equal(try_submit(f, f->a, "/2", true, NULL, &waiting), OP_TAKEN);
	UNTIL(begun(f) == 1);
	operations_abandon(f->operations, waiting);
	operations_abandon(f->operations, running);
	operations_get_stats(f->operations, &stats);
	assert_int_equal(stats.outstanding, 1);
	assert_int_equal(stats.queued, 0);
	open_gate(f, 1);
	UNTIL(f->ends == 1);
	operations_get_stats(f->operations, &stats);
	assert_int_equal(stats.outstanding, 0);
	assert_int_equal(stats.kept, 0);
	assert_int_equal(begun(f), 1);
}

static void
remember_watched(struct op_watcher *watcher, struct op *op)
{
	struct fixture *f = container_of(watcher, struct fixture, watcher);

	f->accepted = op;
}

static void
remember_drained(void *arg)
{
	((struct fixture *)arg)->drained = true;
}

static void
drains(void **state)
{
	struct fixture *f = *state;
	struct op *running = submit(f, f->a, "/1"), *waiting = submit(f, f->a, "/2"), *op;

	UNTIL(begun(f) == 1);
	op_watch(waiting, &f->watcher, remember_watched);
	f->accepted = NULL;
	operations_drain(f->operations, remember_drained, f);
	/* Who watches what waits is told that it has not ended. */
	assert_ptr_equal(f->accepted, waiting);
	assert_int_equal(waiting->state, OP_QUEUED);
	assert_int_equal(try_submit(f, f->b, "/b", true, NULL, &op), OP_REFUSED_DRAINING);
	open_gate(f, 1);
	UNTIL(op_has_ended(running));
	assert_int_equal(running->state, OP_SUCCEEDED);
	assert_int_equal(begun(f), 1);
	assert_false(f->drained);
	pass_time(f, 1);
	assert_true(f->drained);
}

static struct op_key *
key_of(struct fixture *f, const char *text, const char *principal, uint8_t request)
{
	uint8_t digest[32] = {request};

	return op_key_new(f->a, principal, text, digest);
}

static void
finds_keys(void **state)
{
	struct fixture *f = *state;
	struct op_key *probe;
	struct op *op;
	bool same;

	assert_int_equal(try_submit(f, f->a, "/1", true, key_of(f, "k", NULL, 1), &op), OP_TAKEN);
	UNTIL(f->accepted);
	probe = key_of(f, "k", NULL, 1);
	assert_ptr_equal(op_key_find(f->operations, probe, &same), op);
	assert_true(same);
	op_key_free(probe);
	probe = key_of(f, "k", NULL, 2);
	assert_ptr_equal(op_key_find(f->operations, probe, &same), op);
	assert_false(same);
	op_key_free(probe);
	probe = key_of(f, "k", "su", 1);
	assert_null(op_key_find(f->operations, probe, &same));
	op_key_free(probe);
	open_gate(f, 1);
	UNTIL(op_has_ended(op));
	pass_time(f, 300000);
	probe = key_of(f, "k", NULL, 1);
	assert_ptr_equal(op_key_find(f->operations, probe, &same), op);
	pass_time(f, 86400000);
	assert_null(op_key_find(f->operations, probe, &same));
	op_key_free(probe);
}

static void
reads_keys(void **state)
{
	static const struct {
		const char *value, *key;
	} cases[] = {
		{"abc", "abc"},
		{"\"abc\"", "abc"},
		{"\"a\\\"b\\\\\"", "a\"b\\"},
		{"8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"},
		{"\"with blank\"", "with blank"},
		{"with blank", NULL},
		{"\"\"", NULL},
		{"", NULL},
		{"\"abc", NULL},
		{"\"abc\"x", NULL},
		{"\"a\\b\"", NULL},
		{"a\"b", NULL},
		{"a,b", NULL},
		{"a\xc3\xa4", NULL},
	};
	char key[IDEMPOTENCY_KEY_SIZE], longest[300];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int rc = idempotency_key_parse(cases[i].value, key);
		assert_int_equal(rc == 0, cases[i].key != NULL);
		if (cases[i].key)
			assert_string_equal(key, cases[i].key);
	}
	memset(longest, 'x', sizeof longest);
	longest[255] = '\0';
	assert_int_equal(idempotency_key_parse(longest, key), 0);
	longest[255] = 'x';
	longest[256] = '\0';
	assert_true(idempotency_key_parse(longest, key) < 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(runs_to_its_end_and_expires),
		TEST(writes_problems_as_results),
		TEST(stores_a_202_of_the_work_as_200),
		TEST(is_fair_between_routes),
		TEST(keeps_concurrency_and_queue),
		TEST(keeps_capacity),
		TEST(keeps_within_what_may_be_held),
		TEST(times_out_in_the_queue),
		TEST(times_out_while_running),
		TEST(cancels),
		TEST(drops_abandoned_synchronous_calls_that_wait),
		TEST(drains),
		TEST(finds_keys),
		cmocka_unit_test(reads_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
