/* Processes as /proc tells of them. */
#include "tests/unit/server/work/process/processes.h"

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static void
test_self(void **state)
{
	struct proc proc;

	assert_int_equal(proc_read(getpid(), &proc), 0);
	assert_int_equal(proc.pid, getpid());
	assert_int_equal(proc.ppid, getppid());
	assert_int_equal(proc.pgid, getpgrp());
	assert_int_equal(proc.sid, getsid(0));
	assert_true(proc.start_time > 0);
	assert_true(proc.start_time <= proc_now());
	assert_true(proc.threads >= 1);
	assert_false(proc_is_zombie(&proc));
}

/* A later process never seems to have started before what proc_now said. */
static void
test_now_is_no_later_than_a_start(void **state)
{
	for (int i = 0; i < 50; i++) {
		struct proc proc;
		uint64_t now = proc_now();
		pid_t pid = spawn_plain("exit 0", NULL);

		await_zombie(pid);
		assert_int_equal(proc_read(pid, &proc), 0);
		assert_true(proc.start_time >= now);
		assert_true(proc.start_time <= proc_now());
		wait_for(pid);
	}
}

static void
test_name_with_brackets(void **state)
{
	struct proc proc;
	char name[16];

	assert_int_equal(prctl(PR_GET_NAME, name), 0);
	assert_int_equal(prctl(PR_SET_NAME, ") Z 1 2 3 (\n"), 0);
	assert_int_equal(proc_read(getpid(), &proc), 0);
	assert_int_equal(proc.ppid, getppid());
	assert_false(proc_is_zombie(&proc));
	assert_int_equal(prctl(PR_SET_NAME, name), 0);
}

static void
test_zombie_is_reaped(void **state)
{
	struct proc proc, other;
	pid_t pid = spawn_plain("exit 3", NULL);

	await_zombie(pid);
	assert_int_equal(proc_read(pid, &proc), 0);
	assert_true(proc_is_zombie(&proc));
	/* not one that has the same pid at another time */
	other = proc;
	other.start_time++;
	proc_reap(&other);
	assert_false(is_gone(pid));
	proc_reap(&proc);
	assert_true(is_gone(pid));
	assert_int_equal(proc_read(pid, &proc), -ESRCH);
	assert_int_equal(proc_signal(&proc, 0), -ESRCH);
	proc_reap(&proc);
	assert_false(has_children());
}

static void *
wait_for_end(void *arg)
{
	for (;;)
		pause();
	return NULL;
}

/* A process is no zombie while a thread of it lives, though its first has ended. */
static void
test_first_thread_ends(void **state)
{
	struct proc proc;
	pid_t pid = fork();

	if (pid == 0) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, wait_for_end, NULL) != 0)
			_exit(1);
		syscall(SYS_exit, 0);
	}
	do {
		sched_yield();
		assert_int_equal(proc_read(pid, &proc), 0);
	} while (proc.state != 'Z');
	assert_false(proc_is_zombie(&proc));
	assert_int_equal(proc_signal(&proc, SIGKILL), 0);
	assert_int_equal(wait_for(pid), SIGKILL);
}

static void
test_signal_hits_no_other(void **state)
{
	struct proc proc, other;
	pid_t pid = spawn_plain("exec sleep 1000", NULL);

	assert_int_equal(proc_read(pid, &proc), 0);
	other = proc;
	other.start_time--;
	assert_int_equal(proc_signal(&other, SIGKILL), -ESRCH);
	assert_int_equal(proc_signal(&proc, SIGTERM), 0);
	assert_int_equal(wait_for(pid), SIGTERM);
	assert_int_equal(proc_signal(&proc, SIGKILL), -ESRCH);
}

static void
test_mark(void **state)
{
	struct id id = new_id(), found;
	char text[ID_TEXT_SIZE], good[128], bad[128], prefix[130], big[100000];
	char junk[] = PROC_MARK "=junk";

	id_format(&id, text);
	snprintf(good, sizeof good, "%s=%s", PROC_MARK, text);
	snprintf(bad, sizeof bad, "%s=%s0", PROC_MARK, text);
	snprintf(prefix, sizeof prefix, "X%s", good);
	memset(big, 'x', sizeof big);
	memcpy(big, "BIG=", 4);
	big[sizeof big - 1] = '\0';
	char *environments[][4] = {{good, NULL}, {prefix, good, NULL}, {big, big, good, NULL}, {prefix, NULL},
		{bad, NULL}, {junk}, {NULL}};
	const int answers[] = {0, 0, 0, -ENOENT, -ENOENT, -ENOENT, -EAGAIN};

	for (size_t i = 0; i < sizeof environments / sizeof *environments; i++) {
		const char *gate = make_gate("mark");
		CLEANUP_FREE char *script = xasprintf("echo $$ > %s; read x < %s", gate, gate);
		pid_t pid = spawn_plain(script, environments[i]);

		read_gate_pid(gate);
		assert_int_equal(proc_read_mark(pid, &found), answers[i]);
		if (answers[i] == 0)
			assert_true(id_equal(&found, &id));
		kill(pid, SIGKILL);
		await_zombie(pid);
		assert_true(proc_read_mark(pid, &found) < 0);
		wait_for(pid);
		assert_int_equal(proc_read_mark(pid, &found), -ESRCH);
	}
}

static void
test_table(void **state)
{
	struct proc_table table, empty = {0};
	pid_t pid = spawn_plain("exec sleep 1000", NULL);

	assert_int_equal(proc_table_read(&table), 0);
	for (size_t i = 1; i < table.count; i++)
		assert_true(table.procs[i - 1].pid < table.procs[i].pid);
	const struct proc *child = proc_table_find(&table, pid);
	assert_non_null(child);
	assert_int_equal(child->ppid, getpid());
	assert_null(proc_table_find(&table, 0));
	assert_null(proc_table_find(&empty, pid));
	proc_table_fini(&table);
	kill(pid, SIGKILL);
	wait_for(pid);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_self),
		cmocka_unit_test(test_now_is_no_later_than_a_start),
		cmocka_unit_test(test_name_with_brackets),
		cmocka_unit_test(test_zombie_is_reaped),
		cmocka_unit_test(test_first_thread_ends),
		cmocka_unit_test(test_signal_hits_no_other),
		cmocka_unit_test(test_mark),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, processes_setup, processes_teardown);
}
