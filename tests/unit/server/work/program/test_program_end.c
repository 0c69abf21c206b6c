/* How program work ends before its time, and what it may leave behind: nothing. */
#include "tests/unit/server/work/program/program_call.h"

static void
test_stop(void **state)
{
	for (enum work_stop stop = WORK_STOP; stop <= WORK_KILL; stop++) {
		const char *gate = make_gate("ready");
		CLEANUP_FREE char *script =
			xasprintf("(setsid sh -c 'echo $$ > %s; exec sleep 1000' &) ; exec sleep 1000", gate);
		struct call call = {.script = script};

		call_begin(&call);
		pid_t escaped = read_gate_pid(gate);
		work_control_stop(&call.control, stop);
		call_join(&call);
		call_assert_problem(&call.result, PROBLEM_CANCELLED, 410, "The program was stopped.");
		assert_true(is_gone(escaped));
		assert_false(has_children());
		work_result_fini(&call.result);
		call_fini(&call);
	}
}

static void
test_stopped_before_it_began(void **state)
{
	CLEANUP_FREE char *script = xasprintf("echo > %s", scratch_path("ran"));
	struct call call = {.script = script};

	call_prepare(&call);
	work_control_stop(&call.control, WORK_STOP);
	call_run(&call);
	call_assert_problem(&call.result, PROBLEM_CANCELLED, 410, "The program was stopped.");
	assert_int_equal(call.pid, 0);
	assert_int_equal(access(scratch_path("ran"), F_OK), -1);
	work_result_fini(&call.result);
	call_fini(&call);
}

/* What leaves the group and outlives the program is soon found as an orphan. */
static void
test_daemon_is_an_orphan(void **state)
{
	const char *gate = make_gate("ready"), *go = make_gate("go");
	CLEANUP_FREE char *script = xasprintf(
		"(setsid sh -c 'echo $$ > %s; exec sleep 1000' &) ; read x < %s; echo done", gate, go);
	struct call call = {.script = script};

	call_begin(&call);
	pid_t daemon = read_gate_pid(gate);
	open_gate(go);
	call_join(&call);
	call_assert_body(&call.result, "done\n", 5);
	assert_false(is_gone(daemon));
	program_reap_orphans();
	assert_true(is_gone(daemon));
	assert_false(has_children());
	work_result_fini(&call.result);
	call_fini(&call);
}

static void
test_nothing_leaks(void **state)
{
	unsigned before = count_descriptors();

	for (int i = 0; i < 1000; i++) {
		static const char *const scripts[] = {"cat >/dev/null; exit 0", "sleep 1000 & exit 0",
			"echo x >&3; kill -KILL $$", "exec <&- >&- 2>&- 3>&-"};
		struct call call = {.script = scripts[i % LENGTH(scripts)], .body = blob_new("hello", 5)};

		call_run_now(&call);
		work_result_fini(&call.result);
		call_fini(&call);
	}
	assert_int_equal(count_descriptors(), before);
	assert_false(has_children());
}

/* Many at once, each with its own end, some of them stopped, while orphans are looked for all the time. */

#define THREADS 4
#define RUNS_PER_THREAD 40

static _Atomic bool is_over;

static void *
reap_all_the_time(void *arg)
{
	while (!is_over) {
		program_reap_orphans();
		sched_yield();
	}
	return NULL;
}

static void *
run_many(void *arg)
{
	int thread = *(int *)arg;

	for (int i = 0; i < RUNS_PER_THREAD; i++) {
		int exit_status = 1 + (thread * RUNS_PER_THREAD + i) % 60;
		CLEANUP_FREE char *script =
			i % 4 == 0 ? xstrdup("sleep 1000 & exec sleep 1000")
				   : xasprintf("(setsid sleep 1000 &); exit %d", exit_status);
		CLEANUP_FREE char *detail = xasprintf("The program ended with exit status %d.", exit_status);
		struct call call = {.script = script};

		if (i % 4 == 0) {
			call_begin(&call);
			work_control_stop(&call.control, i % 8 == 0 ? WORK_STOP : WORK_KILL);
			call_join(&call);
			assert_int_equal(call.result.problem, PROBLEM_CANCELLED);
		} else {
			call_run_now(&call);
			call_assert_problem(&call.result, PROBLEM_PROGRAM_FAILED, 500, detail);
		}
		work_result_fini(&call.result);
		call_fini(&call);
	}
	return NULL;
}

static void
test_many_at_once(void **state)
{
	pthread_t threads[THREADS], reaper;
	int numbers[THREADS];

	is_over = false;
	assert_int_equal(pthread_create(&reaper, NULL, reap_all_the_time, NULL), 0);
	for (int i = 0; i < THREADS; i++) {
		numbers[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, run_many, &numbers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	is_over = true;
	assert_int_equal(pthread_join(reaper, NULL), 0);
	program_reap_orphans();
	assert_false(has_children());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_stopped_before_it_began),
		cmocka_unit_test(test_daemon_is_an_orphan),
		cmocka_unit_test(test_nothing_leaks),
		cmocka_unit_test(test_many_at_once),
	};

	return cmocka_run_group_tests(tests, call_setup, processes_teardown);
}
