/* The phases of an operation: which moves are allowed, and what a move changes. */
#include "tests/unit/server/operations/operations_fixture.h"

#include "operations/phase.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void
allows_only_what_can_happen(void **state)
{
	(void)state;
	assert_true(op_may_go(PHASE_ACCEPTING, PHASE_LEFT));
	assert_true(op_may_go(PHASE_BEHIND, PHASE_WAITING));
	assert_true(op_may_go(PHASE_BEGINNING, PHASE_WAITING));
	assert_true(op_may_go(PHASE_LEFT, PHASE_ENDING));
	assert_false(op_may_go(PHASE_ACCEPTING, PHASE_BEGINNING));
	assert_false(op_may_go(PHASE_BEHIND, PHASE_BEGINNING));
	assert_false(op_may_go(PHASE_WAITING, PHASE_WORKING));
	assert_false(op_may_go(PHASE_WORKING, PHASE_OVER));
	assert_false(op_may_go(PHASE_LEFT, PHASE_WAITING));
}

/* An end that is decided, and an end that is shown, stay so. */
static void
never_leaves_an_end(void **state)
{
	(void)state;
	for (int i = 0; i < PHASE_COUNT; i++) {
		assert_true(op_may_go(PHASE_ENDING, (enum op_phase)i) == (i == PHASE_OVER));
		assert_false(op_may_go(PHASE_OVER, (enum op_phase)i));
		assert_false(op_may_go((enum op_phase)i, PHASE_NEW));
	}
}

static void
check_counts(struct fixture *f, unsigned outstanding, unsigned queued, unsigned running)
{
	struct operations_stats stats;

	operations_get_stats(f->operations, &stats);
	assert_int_equal(stats.outstanding, outstanding);
	assert_int_equal(stats.queued, queued);
	assert_int_equal(stats.running, running);
}

static void
counts_with_each_move(void **state)
{
	struct fixture *f = *state;
	struct op *running = fixture_submit(f, f->a, "/1"), *waiting = fixture_submit(f, f->a, "/2");

	UNTIL(running->state == OP_RUNNING);
	check_counts(f, 2, 1, 1);
	assert_true(op_waits(waiting));
	assert_false(op_waits(running));
	op_go(waiting, PHASE_LEFT);
	check_counts(f, 2, 0, 1);
	assert_false(timer_is_running(&waiting->timer));
	assert_true(op_is_left(waiting));
	assert_int_equal(operations_cancel(waiting), OP_CANCEL_SOON);
	UNTIL(op_has_ended(waiting));
	check_counts(f, 1, 0, 1);
	fixture_open_gate(f, 1);
	UNTIL(op_has_ended(running));
	check_counts(f, 0, 0, 0);
}

static void
fails_an_assert_for_an_illegal_move(void **state)
{
	struct fixture *f = *state;
	struct op *op = fixture_submit(f, f->a, "/1");
	int status;

	UNTIL(op->state == OP_RUNNING);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
		op_go(op, PHASE_WAITING);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	fixture_open_gate(f, 1);
	UNTIL(op_has_ended(op));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

/* A route without a queue timeout: 30 seconds for a synchronous call, an hour for an asynchronous one. */
static void
waits_as_long_as_its_kind(void **state)
{
	struct fixture *f = *state;
	struct op_route_config config = {.key = "POST /default",
		.work = &f->gate.work,
		.concurrency = 1,
		.queue = OP_NO_LIMIT,
		.run_timeout_ms = 2 * OP_QUEUE_ASYNC_MS,
		.keep_ms = 60000,
		.keep_timed_out_ms = 60000,
		.max_result_bytes = 1000};
	struct op_route *route = operations_add_route(f->operations, &config);
	struct op *sync;

	fixture_submit(f, route, "/1");
	struct op *async = fixture_submit(f, route, "/2");
	assert_int_equal(fixture_try_submit(f, route, "/3", true, NULL, &sync), OP_TAKEN);
	fixture_pass_time(f, OP_QUEUE_SYNC_MS - 1);
	check_counts(f, 3, 2, 1);
	fixture_pass_time(f, 1);
	check_counts(f, 2, 1, 1);
	fixture_pass_time(f, OP_QUEUE_ASYNC_MS - OP_QUEUE_SYNC_MS - 1);
	assert_int_equal(async->state, OP_QUEUED);
	fixture_pass_time(f, 1);
	UNTIL(async->state == OP_TIMED_OUT);
	op_route_unref(route);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(allows_only_what_can_happen),
		cmocka_unit_test(never_leaves_an_end),
		TEST(counts_with_each_move),
		TEST(waits_as_long_as_its_kind),
		TEST(fails_an_assert_for_an_illegal_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
