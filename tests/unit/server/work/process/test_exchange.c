/* The exchange with a running process. */
#include "tests/unit/server/work/process/processes.h"

#include "common/clock.h"
#include "work/process/exchange.h"
#include "work/process/orphans.h"

#include <poll.h>
#include <pthread.h>
#include <sys/prctl.h>

/* A process, its exchange on a thread of its own, and what came of it. */
struct talk {
	const char *script;
	const struct blob *input;
	size_t fail_after; /* bytes of output; 0: never */
	struct work_control control;
	struct process process;
	struct id id;
	pthread_t thread;

	/* of the thread until it has been joined */
	struct text output, error, progress;
	siginfo_t info;
	int rc;
};

static int
on_output(void *arg, const char *data, size_t len)
{
	struct talk *talk = arg;

	text_add(&talk->output, data, len);
	return talk->fail_after && talk->output.len >= talk->fail_after ? -EFBIG : 0;
}

static int
on_error(void *arg, const char *data, size_t len)
{
	text_add(&((struct talk *)arg)->error, data, len);
	return -EIO; /* which nobody heeds */
}

static int
on_progress(void *arg, const char *data, size_t len)
{
	text_add(&((struct talk *)arg)->progress, data, len);
	return -EIO;
}

static void *
run(void *arg)
{
	struct talk *talk = arg;
	struct exchange_spec spec = {
		.input = talk->input ? blob_data(talk->input) : NULL,
		.input_len = (size_t)blob_len(talk->input),
		.on_output = on_output,
		.on_error = on_error,
		.on_progress = on_progress,
		.arg = talk,
		.id = talk->id,
	};

	talk->rc = exchange_run(&spec, &talk->process, &talk->control, &talk->info);
	return NULL;
}

static void
spawn(struct talk *talk)
{
	char shell[] = "/bin/sh", option[] = "-c";
	CLEANUP_FREE char *copy = xstrdup(talk->script);
	char *argv[] = {shell, option, copy, NULL};

	talk->id = new_id();
	struct process_spec spec = {
		.argv = argv,
		.env = marked_environment(&talk->id),
		.directory = "/",
		.input = talk->input,
		.id = talk->id,
	};
	assert_int_equal(work_control_init(&talk->control), 0);
	talk->control.stop_grace_ms = 1000 * 1000;
	assert_int_equal(process_spawn(&spec, &talk->process), 0);
}

static void
begin(struct talk *talk)
{
	spawn(talk);
	assert_int_equal(pthread_create(&talk->thread, NULL, run, talk), 0);
}

/* Waits for the end, at which nothing is left. */
static void
join(struct talk *talk)
{
	assert_int_equal(pthread_join(talk->thread, NULL), 0);
	work_control_fini(&talk->control);
	assert_false(has_children());
}

static void
fini(struct talk *talk)
{
	text_fini(&talk->output);
	text_fini(&talk->error);
	text_fini(&talk->progress);
}

static void
test_three_streams(void **state)
{
	struct talk talk = {.script = "echo one; echo two >&2; echo three >&3; exit 9"};

	begin(&talk);
	join(&talk);
	assert_int_equal(talk.rc, 0);
	assert_int_equal(talk.info.si_code, CLD_EXITED);
	assert_int_equal(talk.info.si_status, 9);
	assert_string_equal(talk.output.data, "one\n");
	assert_string_equal(talk.error.data, "two\n");
	assert_string_equal(talk.progress.data, "three\n");
	fini(&talk);
}

/* Both ways at once, more than any pipe holds. */
static void
test_large_input(void **state)
{
	struct text text = {0};

	for (int i = 0; i < 300000; i++)
		text_addf(&text, "%d\n", i);
	struct blob *input = blob_take_text(&text);
	struct talk talk = {.script = "tee /dev/fd/2", .input = input};
	begin(&talk);
	join(&talk);
	assert_int_equal(talk.rc, 0);
	assert_int_equal(talk.output.len, blob_len(input));
	assert_memory_equal(talk.output.data, blob_data(input), talk.output.len);
	assert_int_equal(talk.error.len, blob_len(input));
	blob_unref(input);
	fini(&talk);
}

/* A program need not read its input, whether it ends at once, closes it, or reads a part; and no SIGPIPE
 * comes of it. */
static void
test_input_is_not_read(void **state)
{
	static const char *const scripts[] = {
		"exit 0",
		"exec <&-; echo closed >&3; exec cat /dev/null",
		"head -c 100 >/dev/null",
		"exec <&-; exec >&-; exec 2>&-; exec 3>&-; i=0; while [ $i -lt 1000 ]; do i=$((i+1)); done",
	};
	CLEANUP_FREE char *data = xcalloc(4, 1024 * 1024);
	struct blob *input = blob_new(data, 4 * 1024 * 1024);
	sigset_t pending;

	for (size_t i = 0; i < 2 * sizeof scripts / sizeof *scripts; i++) {
		struct talk talk = {.script = scripts[i / 2], .input = input};
		sigset_t pipe_signal;

		/* with the signal blocked, as pool threads have it, and without, which would be our end */
		sigemptyset(&pipe_signal);
		sigaddset(&pipe_signal, SIGPIPE);
		pthread_sigmask(i % 2 ? SIG_BLOCK : SIG_UNBLOCK, &pipe_signal, NULL);
		spawn(&talk);
		run(&talk);
		work_control_fini(&talk.control);
		assert_int_equal(talk.rc, 0);
		assert_int_equal(talk.info.si_code, CLD_EXITED);
		assert_int_equal(talk.info.si_status, 0);
		sigpending(&pending);
		assert_false(sigismember(&pending, SIGPIPE));
		fini(&talk);
	}
	blob_unref(input);
}

/* The end is that of the process, whoever else holds its pipes. */
static void
test_pipes_are_held(void **state)
{
	const char *gate = make_gate("held");
	CLEANUP_FREE char *script = xasprintf("sleep 1000 & sh -c 'trap \"\" TERM; sleep 1000 & echo $! > "
					      "%s; wait' & read x < %s; echo out; exit 3",
		gate, scratch_path("go"));
	const char *go = make_gate("go");
	struct talk talk = {.script = script};

	begin(&talk);
	pid_t grandchild = read_gate_pid(gate);
	open_gate(go);
	join(&talk);
	assert_int_equal(talk.rc, 0);
	assert_int_equal(talk.info.si_status, 3);
	assert_string_equal(talk.output.data, "out\n");
	assert_true(is_gone(grandchild));
	fini(&talk);
}

/* One that has left the group writes on for ever: what the pipe holds at the end is all that is taken.  It
 * goes with the pipe. */
static void
test_endless_writer_outside_the_group(void **state)
{
	struct talk talk = {.script = "setsid sh -c 'while :; do echo yyyyyyyyyyyyyyyy; done' & head -c 1 < "
				      "/dev/zero; exit 4"};

	spawn(&talk);
	assert_int_equal(pthread_create(&talk.thread, NULL, run, &talk), 0);
	assert_int_equal(pthread_join(talk.thread, NULL), 0);
	work_control_fini(&talk.control);
	assert_int_equal(talk.rc, 0);
	assert_int_equal(talk.info.si_status, 4);
	fini(&talk);
	int status;
	while (wait(&status) > 0)
		;
	assert_int_equal(errno, ECHILD);
}

/* What the output is refused for ends the whole tree at once. */
static void
test_output_is_refused(void **state)
{
	struct talk talk = {
		.script = "trap '' TERM; setsid sleep 1000 & sleep 1000 & while :; do echo yyyyyyyyyyyyyyyy; "
			  "done",
		.fail_after = 100000,
	};

	begin(&talk);
	join(&talk);
	assert_int_equal(talk.rc, -EFBIG);
	assert_true(talk.output.len >= 100000 && talk.output.len < 100000 + 65536);
	fini(&talk);
}

/* Spawns a process that ends with much in its pipe before anybody has read of it. */
static void
spawn_and_await_end(struct talk *talk)
{
	const char *go = make_gate("go");
	CLEANUP_FREE char *script = xasprintf("setsid sleep 1000 >&- 2>&- 3>&- & read x < %s; head -c 300000 "
					      "/dev/zero; echo e >&2; echo p >&3",
		go);

	talk->script = script;
	spawn(talk);
	assert_true(fcntl(talk->process.output_fd, F_SETPIPE_SZ, 512 * 1024) > 300000);
	open_gate(go);
	await_zombie(talk->process.pid);
}

static void
test_rest_is_taken(void **state)
{
	struct talk talk = {0};

	spawn_and_await_end(&talk);
	run(&talk);
	work_control_fini(&talk.control);
	assert_int_equal(talk.rc, 0);
	assert_int_equal(talk.output.len, 300000);
	assert_string_equal(talk.error.data, "e\n");
	assert_string_equal(talk.progress.data, "p\n");
	fini(&talk);
	orphans_reap();
	assert_false(has_children());
}

/* The output is refused when the process has ended already: what it has left behind goes nevertheless. */
static void
test_rest_is_refused(void **state)
{
	struct talk talk = {.fail_after = 200000};

	spawn_and_await_end(&talk);
	run(&talk);
	work_control_fini(&talk.control);
	assert_int_equal(talk.rc, -EFBIG);
	assert_int_equal(talk.info.si_code, CLD_EXITED);
	assert_true(talk.output.len >= 200000 && talk.output.len < 300000);
	assert_false(has_children());
	fini(&talk);
}

/* Where no descriptor tells of a process' end, it is looked for. */
static void
test_without_pidfd(void **state)
{
	for (int i = 0; i < 2; i++) {
		struct talk talk = {.script = i ? "exec sleep 1000" : "exec <&- >&- 2>&- 3>&-; exit 7"};

		spawn(&talk);
		process_close(&talk.process.pidfd);
		if (i)
			work_control_stop(&talk.control, WORK_STOP);
		run(&talk);
		work_control_fini(&talk.control);
		assert_int_equal(talk.rc, i ? -ECANCELED : 0);
		assert_int_equal(talk.info.si_status, i ? SIGTERM : 7);
		assert_false(has_children());
		fini(&talk);
	}
}

static void
test_stop_in_good_order(void **state)
{
	const char *gate = make_gate("ready");
	CLEANUP_FREE char *script = xasprintf(
		"trap 'echo bye; exit 0' TERM; echo > %s; while :; do sleep 1000 & wait; done", gate);
	struct talk talk = {.script = script};

	begin(&talk);
	free(read_gate(gate));
	work_control_stop(&talk.control, WORK_STOP);
	join(&talk);
	assert_int_equal(talk.rc, -ECANCELED);
	assert_int_equal(talk.info.si_code, CLD_EXITED);
	assert_int_equal(talk.info.si_status, 0);
	fini(&talk);
}

/* What is deaf to SIGTERM gets SIGKILL, after the grace time or when it is asked for. */
static void
test_deaf(void **state)
{
	for (int i = 0; i < 2; i++) {
		const char *gate = make_gate("ready");
		CLEANUP_FREE char *script = xasprintf("trap '' TERM INT HUP; setsid sleep 1000 & sleep 1000 "
						      "& echo > %s; while :; do sleep 1000; done",
			gate);
		struct talk talk = {.script = script};
		int64_t before = clock_mono_ms();

		begin(&talk);
		free(read_gate(gate));
		if (i == 0)
			talk.control.stop_grace_ms = 100;
		work_control_stop(&talk.control, WORK_STOP);
		if (i == 1)
			work_control_stop(&talk.control, WORK_KILL);
		join(&talk);
		assert_int_equal(talk.rc, -ECANCELED);
		assert_int_equal(talk.info.si_code, CLD_KILLED);
		assert_int_equal(talk.info.si_status, SIGKILL);
		if (i == 0)
			assert_true(clock_mono_ms() - before >= 100);
		fini(&talk);
	}
}

/* A process that has stopped itself hears SIGTERM nevertheless. */
static void
test_stopped_process(void **state)
{
	struct talk talk = {
		.script = "trap 'exit 6' TERM; kill -STOP $$; while :; do sleep 1000 & wait; done"};
	struct proc proc;

	begin(&talk);
	do {
		sched_yield();
		assert_int_equal(proc_read(talk.process.pid, &proc), 0);
	} while (proc.state != 'T');
	work_control_stop(&talk.control, WORK_STOP);
	join(&talk);
	assert_int_equal(talk.rc, -ECANCELED);
	assert_int_equal(talk.info.si_code, CLD_EXITED);
	assert_int_equal(talk.info.si_status, 6);
	fini(&talk);
}

/* The stop was asked for before there was anything to be stopped. */
static void
test_stop_comes_first(void **state)
{
	for (enum work_stop stop = WORK_STOP; stop <= WORK_KILL; stop++) {
		struct talk talk = {.script = "sleep 1000 & exec sleep 1000"};

		spawn(&talk);
		work_control_stop(&talk.control, stop);
		run(&talk);
		work_control_fini(&talk.control);
		assert_int_equal(talk.rc, -ECANCELED);
		assert_int_equal(talk.info.si_code, CLD_KILLED);
		assert_false(has_children());
		fini(&talk);
	}
}

/* Forks all the time: ever more children, children in sessions of their own, and one that is always
 * another. */
static void
test_forks_all_the_time(void **state)
{
	static const char *const scripts[] = {
		"while [ \"$i\" != 1000 ]; do sleep 1000 & i=$((i+1)); [ $i = 50 ] && echo > %s; done; wait",
		("trap '' TERM; f() { setsid sh -c 'setsid sleep 1000 & exec sleep 1000' & }\n"
		 "for i in 1 2 3 4 5 6 7 8; do f; done; echo > %s; for i in 1 2 3 4 5 6 7 8; do f; done; "
		 "wait"),
		"f() { [ $1 = 0 ] || f $(($1 - 1)) & }; f 20000 & echo > %s; exec sleep 1000",
	};

	for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
		const char *gate = make_gate("ready");
		struct text script = {0};

		const char *mark = strstr(scripts[i], "%s");
		text_addf(&script, "%.*s%s%s", (int)(mark - scripts[i]), scripts[i], gate, mark + 2);
		struct talk talk = {.script = script.data};
		begin(&talk);
		free(read_gate(gate));
		work_control_stop(&talk.control, WORK_KILL);
		join(&talk);
		assert_int_equal(talk.rc, -ECANCELED);
		fini(&talk);
		text_fini(&script);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_three_streams),
		cmocka_unit_test(test_large_input),
		cmocka_unit_test(test_input_is_not_read),
		cmocka_unit_test(test_pipes_are_held),
		cmocka_unit_test(test_endless_writer_outside_the_group),
		cmocka_unit_test(test_output_is_refused),
		cmocka_unit_test(test_rest_is_taken),
		cmocka_unit_test(test_rest_is_refused),
		cmocka_unit_test(test_without_pidfd),
		cmocka_unit_test(test_stop_in_good_order),
		cmocka_unit_test(test_deaf),
		cmocka_unit_test(test_stopped_process),
		cmocka_unit_test(test_stop_comes_first),
		cmocka_unit_test(test_forks_all_the_time),
	};

	/* What a group leaves becomes ours. */
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	return cmocka_run_group_tests(tests, processes_setup, processes_teardown);
}
