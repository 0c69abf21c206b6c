/*
 * The life of operations, with a work that the test itself ends, a store that keeps nothing and a clock that
 * the test holds.
 */
#include "tests/unit/server/operations/operations_fixture.h"

#include "common/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
runs_to_its_end_and_expires(void **state)
{
	struct fixture *f = *state;
	struct op *op = fixture_submit(f, f->a, "/x");

	UNTIL(op->state == OP_RUNNING);
	fixture_open_gate(f, 1);
	UNTIL(op_has_ended(op));
	assert_int_equal(op->state, OP_SUCCEEDED);
	assert_int_equal(op->status, 200);
	assert_int_equal(op->progress, 100);
	assert_memory_equal(blob_data(op->body), "done", 4);
	assert_int_equal(f->ends, 1);
	struct id id = op->id;
	fixture_pass_time(f, 299999);
	assert_int_equal(op->state, OP_SUCCEEDED);
	fixture_pass_time(f, 1);
	assert_int_equal(op->state, OP_EXPIRED);
	assert_null(op->body);
	assert_int_equal(op->status, 200);
	fixture_pass_time(f, 86399999);
	assert_non_null(operations_find(f->operations, &id));
	fixture_pass_time(f, 1);
	assert_null(operations_find(f->operations, &id));
}

static void
writes_problems_as_results(void **state)
{
	struct fixture *f = *state;

	f->gate.status = 599;
	struct op *op = fixture_submit(f, f->a, "/x");
	fixture_open_gate(f, 1);
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
	struct op *op = fixture_submit(f, f->a, "/x");
	fixture_open_gate(f, 1);
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
		ops[i] = fixture_submit(f, f->b, "/b");
	ops[5] = fixture_submit(f, f->a, "/a");
	UNTIL(fixture_begun(f) == 2);
	fixture_open_gate(f, 6);
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
	struct op *first = fixture_submit(f, f->a, "/1"), *op;

	UNTIL(fixture_begun(f) == 1);
	struct op *second = fixture_submit(f, f->a, "/2");
	fixture_submit(f, f->a, "/3");
	assert_int_equal(fixture_try_submit(f, f->a, "/4", false, NULL, &op), OP_REFUSED_QUEUE);
	assert_int_equal(fixture_begun(f), 1);
	assert_int_equal(second->state, OP_QUEUED);
	fixture_open_gate(f, 1);
	UNTIL(op_has_ended(first) && fixture_begun(f) == 2);
	assert_int_equal(fixture_try_submit(f, f->a, "/5", false, NULL, &op), OP_TAKEN);
	fixture_open_gate(f, 3);
	UNTIL(f->ends == 4);
	assert_memory_equal(f->gate.order, "1235", 4);
}

static void
keeps_capacity(void **state)
{
	struct fixture *f = *state;
	struct op *op;

	for (int i = 0; i < 8; i++)
		assert_int_equal(fixture_try_submit(f, f->b, "/b", true, NULL, &op), OP_TAKEN);
	assert_int_equal(fixture_try_submit(f, f->b, "/b", true, NULL, &op), OP_REFUSED_CAPACITY);
	fixture_open_gate(f, 8);
	UNTIL(f->ends == 8);
	assert_int_equal(fixture_try_submit(f, f->b, "/b", true, NULL, &op), OP_TAKEN);
	fixture_open_gate(f, 1);
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
		op = fixture_submit(f, f->b, "/b");
		fixture_open_gate(f, 1);
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
	fixture_pass_time(f, 300000);
	operations_get_stats(f->operations, &stats);
	assert_int_equal(stats.retained_bytes, 0);
	assert_int_equal(operations_submit(f->operations, &submission, &op), OP_TAKEN);
	operations_get_stats(f->operations, &stats);
	assert_int_equal(stats.retained_bytes, 1);
	UNTIL(op->state == OP_RUNNING);
	fixture_open_gate(f, 1);
	UNTIL(op_has_ended(op));
	operations_get_stats(f->operations, &stats);
	assert_int_equal(stats.retained_bytes, 4);
}

static void
times_out_in_the_queue(void **state)
{
	struct fixture *f = *state;
	struct op *running = fixture_submit(f, f->a, "/1"), *waiting = fixture_submit(f, f->a, "/2");

	UNTIL(fixture_begun(f) == 1);
	fixture_pass_time(f, 30000);
	UNTIL(op_has_ended(waiting));
	assert_int_equal(waiting->state, OP_TIMED_OUT);
	assert_int_equal(waiting->status, 503);
	assert_non_null(strstr(blob_data(waiting->body), "queue-timeout"));
	assert_int_equal(running->state, OP_RUNNING);
	assert_int_equal(fixture_begun(f), 1);
	fixture_pass_time(f, 3599999);
	assert_int_equal(waiting->state, OP_TIMED_OUT);
	fixture_pass_time(f, 1);
	assert_int_equal(waiting->state, OP_EXPIRED);
}

static void
times_out_while_running(void **state)
{
	struct fixture *f = *state;
	struct op *op = fixture_submit(f, f->a, "/1");

	UNTIL(fixture_begun(f) == 1);
	fixture_pass_time(f, 60000);
	UNTIL(op_has_ended(op));
	assert_int_equal(op->state, OP_TIMED_OUT);
	assert_int_equal(op->status, 504);
}

static void
cancels(void **state)
{
	struct fixture *f = *state;
	struct op *running = fixture_submit(f, f->a, "/1"), *waiting = fixture_submit(f, f->a, "/2"),
		  *third = fixture_submit(f, f->a, "/3");

	UNTIL(fixture_begun(f) == 1);
	assert_int_equal(operations_cancel(waiting), OP_CANCEL_SOON);
	assert_int_equal(operations_cancel(waiting), OP_CANCEL_SOON);
	UNTIL(op_has_ended(waiting));
	assert_int_equal(waiting->state, OP_CANCELLED);
	assert_int_equal(waiting->status, 410);
	assert_int_equal(operations_cancel(waiting), OP_CANCEL_DONE);
	assert_int_equal(operations_cancel(running), OP_CANCEL_STOPPING);
	assert_int_equal(operations_cancel(running), OP_CANCEL_STOPPING);
	UNTIL(op_has_ended(running));
	assert_int_equal(running->state, OP_CANCELLED);
	fixture_open_gate(f, 1);
	UNTIL(op_has_ended(third));
	assert_int_equal(third->state, OP_SUCCEEDED);
	assert_int_equal(operations_cancel(third), OP_CANCEL_TOO_LATE);
	assert_memory_equal(f->gate.order, "13", 2);
}

static void
drops_abandoned_synchronous_calls_that_wait(void **state)
{
	struct fixture *f = *state;
	struct operations_stats stats;
	struct op *running, *waiting;

	assert_int_equal(fixture_try_submit(f, f->a, "/1", true, NULL, &running), OP_TAKEN);
	assert_int_equal(fixture_try_submit(f, f->a, "/2", true, NULL, &waiting), OP_TAKEN);
	UNTIL(fixture_begun(f) == 1);
	operations_abandon(f->operations, waiting);
	operations_abandon(f->operations, running);
	operations_get_stats(f->operations, &stats);
	assert_int_equal(stats.outstanding, 1);
	assert_int_equal(stats.queued, 0);
	fixture_open_gate(f, 1);
	UNTIL(f->ends == 1);
	operations_get_stats(f->operations, &stats);
	assert_int_equal(stats.outstanding, 0);
	assert_int_equal(stats.kept, 0);
	assert_int_equal(fixture_begun(f), 1);
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
	struct op *running = fixture_submit(f, f->a, "/1"), *waiting = fixture_submit(f, f->a, "/2"), *op;

	UNTIL(fixture_begun(f) == 1);
	op_watch(waiting, &f->watcher, remember_watched);
	f->accepted = NULL;
	operations_drain(f->operations, 1000, remember_drained, f);
	/* Who watches what waits is told that it has not ended. */
	assert_ptr_equal(f->accepted, waiting);
	assert_int_equal(waiting->state, OP_QUEUED);
	assert_int_equal(fixture_try_submit(f, f->b, "/b", true, NULL, &op), OP_REFUSED_DRAINING);
	fixture_open_gate(f, 1);
	UNTIL(op_has_ended(running));
	assert_int_equal(running->state, OP_SUCCEEDED);
	assert_int_equal(fixture_begun(f), 1);
	assert_false(f->drained);
	fixture_pass_time(f, 1);
	assert_true(f->drained);
}

static void
leaves_what_becomes_durable_while_it_drains(void **state)
{
	struct fixture *f = *state;
	struct operations_stats stats;
	struct op *op;

	assert_int_equal(fixture_try_submit(f, f->b, "/1", false, NULL, &op), OP_TAKEN);
	assert_int_equal(op->state, OP_ACCEPTING);
	operations_drain(f->operations, 1000, remember_drained, f);
	UNTIL(f->accepted);
	assert_ptr_equal(f->accepted, op);
	assert_int_equal(f->accept_error, 0);
	assert_int_equal(op->state, OP_QUEUED);
	assert_true(op_is_left(op));
	operations_get_stats(f->operations, &stats);
	assert_int_equal(stats.queued, 0);
	/* Far beyond queue_timeout. */
	fixture_pass_time(f, 3600000);
	assert_true(f->drained);
	assert_int_equal(op->state, OP_QUEUED);
	assert_int_equal(f->ends, 0);
	assert_int_equal(fixture_begun(f), 0);
}

static void
says_once_that_it_is_drained(void **state)
{
	struct fixture *f = *state;
	struct op *running = fixture_submit(f, f->a, "/1"), *waiting = fixture_submit(f, f->a, "/2");

	UNTIL(running->state == OP_RUNNING);
	fixture_open_gate(f, 1);
	operations_drain(f->operations, 1000, remember_drained, f);
	UNTIL(op_has_ended(running));
	fixture_pass_time(f, 1);
	assert_true(f->drained);
	f->drained = false;
	assert_int_equal(operations_cancel(waiting), OP_CANCEL_SOON);
	UNTIL(op_has_ended(waiting));
	fixture_pass_time(f, 1);
	assert_false(f->drained);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int
main(void)
{
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
		TEST(leaves_what_becomes_durable_while_it_drains),
		TEST(says_once_that_it_is_drained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
