/* What tests of operations stand on: see operations_fixture.h. */
#include "tests/unit/server/operations/operations_fixture.h"

#include "common/text.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

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

int
fixture_set_up(void **state)
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
		.upstream_concurrency = 2,
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

int
fixture_tear_down(void **state)
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

int64_t
fixture_real_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
fixture_pass_time(struct fixture *f, int64_t ms)
{
	f->now_ms += ms;
	clock_hold(f->now_ms, 1700000000000 + f->now_ms - 1000000);
	while (timers_advance(f->timers, f->now_ms, 1000))
		;
}

unsigned
fixture_begun(struct fixture *f)
{
	pthread_mutex_lock(&f->gate.lock);
	unsigned count = f->gate.begun;
	pthread_mutex_unlock(&f->gate.lock);
	return count;
}

void
fixture_open_gate(struct fixture *f, unsigned count)
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

enum op_refusal
fixture_try_submit(struct fixture *f, struct op_route *route, const char *path, bool sync, struct op_key *key,
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

struct op *
fixture_submit(struct fixture *f, struct op_route *route, const char *path)
{
	struct op *op;

	f->accepted = NULL;
	assert_int_equal(fixture_try_submit(f, route, path, false, NULL, &op), OP_TAKEN);
	assert_int_equal(op->state, OP_ACCEPTING);
	assert_null(operations_find(f->operations, &op->id));
	UNTIL(f->accepted);
	assert_ptr_equal(f->accepted, op);
	assert_ptr_equal(operations_find(f->operations, &op->id), op);
	return op;
}
