/* What programs leave behind. */
#include "tests/unit/server/work/process/processes.h"

#include "work/process/orphans.h"
#include "work/process/process.h"

#include <pthread.h>
#include <sys/prctl.h>

/* A program that runs a script, the gate at which it says a pid, and that pid. */
struct run {
	struct process process;
	struct id id;
	pid_t said;
};

/* Spawns a script that has a %s where it writes a pid, and waits for that. */
static void
begin(struct run *run, const char *format)
{
	const char *gate = make_gate("pid");
	const char *place = strstr(format, "%s");
	CLEANUP_FREE char *script = xasprintf("%.*s%s%s", (int)(place - format), format, gate, place + 2);
	char shell[] = "/bin/sh", option[] = "-c";
	char *argv[] = {shell, option, script, NULL};

	run->id = new_id();
	struct process_spec spec = {
		.argv = argv, .env = marked_environment(&run->id), .directory = "/", .id = run->id};
	assert_int_equal(process_spawn(&spec, &run->process), 0);
	run->said = read_gate_pid(gate);
}

static void
kill_and_wait(struct run *run)
{
	siginfo_t info;

	process_signal(&run->process, SIGKILL);
	await_zombie(run->process.pid);
	process_wait(&run->process, &info);
}

/* Waits for a program that ends by itself. */
static void
wait_normally(struct run *run)
{
	siginfo_t info;

	await_zombie(run->process.pid);
	process_wait(&run->process, &info);
	assert_int_equal(info.si_code, CLD_EXITED);
}

static pid_t
parent_of(pid_t pid)
{
	struct proc proc;

	assert_int_equal(proc_read(pid, &proc), 0);
	return proc.ppid;
}

/* Waits until those between us and it have ended, and it is our child. */
static void
await_adoption(pid_t pid)
{
	while (parent_of(pid) != getpid())
		usleep(1000);
}

/* Descendants by every way to leave: each says the pid of the one that is to be found. */
static const char *const escapes[] = {
	/* in the group */
	"sleep 1000 & echo $! > %s; wait",
	/* below one in another session */
	"setsid sh -c 'sleep 1000 & echo $! > %s; wait' & wait",
	/* in another session, its parent gone */
	"(setsid sh -c 'echo $$ > %s; exec sleep 1000' &) & exec sleep 1000",
	/* the same with a cleared environment, but in the session of the leader */
	"set -m; (env -i sh -c 'echo $$ > %s; exec sleep 1000' &) & exec sleep 1000",
	/* a cleared environment in another session below one that can be found */
	"setsid sh -c 'env -i setsid sh -c \"echo \\$\\$ > %s; exec sleep 1000\"; exit' & exec sleep 1000",
	/* no environment at all */
	"env -i sleep 1000 & echo $! > %s; wait",
	/* deaf and stopped */
	"setsid sh -c 'trap \"\" TERM HUP INT; echo $$ > %s; kill -STOP $$' & exec sleep 1000",
	/* a cleared environment in another session, its parent gone */
	"(setsid env -i sh -c 'echo $$ > %s; exec sleep 1000' &) ; exec sleep 1000",
	/* the leader has ended */
	"(setsid sh -c 'echo $$ > %s; exec sleep 1000' &) ; exit 0",
};

static void
test_tree_is_killed(void **state)
{
	for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++) {
		struct run run;

		begin(&run, escapes[i]);
		assert_false(is_gone(run.said));
		orphans_kill_tree(run.process.pid, &run.id);
		/* The leader is its waiter's, all else is over. */
		assert_false(is_gone(run.process.pid));
		kill_and_wait(&run);
		if (!is_gone(run.said))
			fail_msg("escape %zu", i);
		assert_false(has_children());
	}
}

static void
test_tree_of_another_lives(void **state)
{
	struct run one, two;

	begin(&one, "(setsid sh -c 'echo $$ > %s; exec sleep 1000' &) ; exec sleep 1000");
	begin(&two, "(setsid sh -c 'echo $$ > %s; exec sleep 1000' &) ; exec sleep 1000");
	orphans_kill_tree(one.process.pid, &one.id);
	kill_and_wait(&one);
	assert_true(is_gone(one.said));
	assert_int_equal(kill(two.said, 0), 0);
	assert_int_equal(kill(two.process.pid, 0), 0);
	orphans_kill_tree(two.process.pid, &two.id);
	kill_and_wait(&two);
	assert_true(is_gone(two.said));
	assert_false(has_children());
}

static void
test_orphans_of_the_ended(void **state)
{
	static const char *const scripts[] = {
		"(setsid sh -c 'echo $$ > %s; exec sleep 1000' &)",
		"setsid sh -c 'setsid sh -c \"echo \\$\\$ > %s; exec sleep 1000\" & exec sleep 1000' &",
		"(env -i setsid sh -c 'echo $$ > %s; exec sleep 1000' &)",
		"(setsid sh -c 'trap \"\" TERM; echo $$ > %s; kill -STOP $$' &)",
		"(setsid sh -c 'env -i setsid sleep 1000 & echo $! > %s')",
	};

	for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
		struct run run;

		begin(&run, scripts[i]);
		wait_normally(&run);
		assert_false(is_gone(run.said));
		orphans_reap();
		if (!is_gone(run.said))
			fail_msg("script %zu", i);
		assert_false(has_children());
	}
}

/* Of a run that goes on, neither the leader nor what has left its group is touched; but a child of it that
 * has ended and has come to us is nobody's to wait for. */
static void
test_running_are_left_alone(void **state)
{
	static const char *const scripts[] = {
		"(setsid sh -c 'echo $$ > %s; exec sleep 1000' &) ; exec sleep 1000",
		"(env -i setsid sh -c 'echo $$ > %s; exec sleep 1000' &) ; exec sleep 1000",
		"(setsid sh -c 'env -i setsid sleep 1000 & echo $! > %s'); exec sleep 1000",
		"(" PROC_MARK "=x sh -c 'echo $$ > %s; exec sleep 1000' &) ; exec sleep 1000",
	};

	for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
		struct run run, other;

		begin(&run, scripts[i]);
		await_adoption(run.said);
		/* somebody else's end makes it look */
		begin(&other, "echo $$ > %s");
		wait_normally(&other);
		orphans_reap();
		assert_int_equal(kill(run.said, 0), 0);
		assert_int_equal(kill(run.process.pid, 0), 0);
		assert_int_equal(parent_of(run.said), getpid());

		pid_t said = run.said;
		assert_int_equal(kill(said, SIGKILL), 0);
		await_zombie(said);
		orphans_reap();
		assert_true(is_gone(said));
		assert_int_equal(kill(run.process.pid, 0), 0);
		kill_and_wait(&run);
		orphans_reap();
		assert_false(has_children());
	}
}

/* A leader that has ended is its own thread's to wait for, however often orphans are looked for before. */
static void
test_status_is_not_stolen(void **state)
{
	struct run run;
	siginfo_t info;

	begin(&run, "echo $$ > %s; exit 42");
	await_zombie(run.process.pid);
	for (int i = 0; i < 10; i++) {
		struct run other;
		begin(&other, "echo $$ > %s");
		wait_normally(&other);
		orphans_reap();
	}
	process_wait(&run.process, &info);
	assert_int_equal(info.si_code, CLD_EXITED);
	assert_int_equal(info.si_status, 42);
	orphans_reap();
	assert_false(has_children());
}

/* Children that we had before we began are not programs; only their zombies are taken. */
static void
test_strangers_live(void **state)
{
	pid_t stranger = spawn_plain("exec sleep 1000", NULL);
	struct run run;

	orphans_start();
	begin(&run, "(setsid sh -c 'echo $$ > %s; exec sleep 1000' &)");
	wait_normally(&run);
	orphans_reap();
	assert_true(is_gone(run.said));
	assert_int_equal(kill(stranger, 0), 0);
	kill(stranger, SIGKILL);
	await_zombie(stranger);
	orphans_reap();
	assert_true(is_gone(stranger));
	orphans_start();
}

/* A disposition to ignore SIGCHLD, as it may be inherited, would take every exit status. */
static void
test_start_wants_exit_statuses(void **state)
{
	signal(SIGCHLD, SIG_IGN);
	orphans_start();
	pid_t pid = spawn_plain("exit 5", NULL);
	int status = wait_for(pid);
	assert_int_equal(WEXITSTATUS(status), 5);
}

/* A server that dies in the midst of its programs, and what it has left. */
struct record {
	struct identity server;
	pid_t pid;
	pid_t said;
};

static struct record
crash(const char *script)
{
	struct record record;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	pid_t server = fork();
	if (server == 0) {
		struct run run;
		orphans_start();
		begin(&run, script);
		record = (struct record){*identity_own(), run.process.pid, run.said};
		(void)!write(ends[1], &record, sizeof record);
		kill(getpid(), SIGKILL);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &record, sizeof record), sizeof record);
	close(ends[0]);
	assert_int_equal(wait_for(server), SIGKILL);
	assert_false(is_gone(record.said));
	return record;
}

static const char *const crashes[] = {
	"echo $$ > %s; exec sleep 1000",
	/* in a session of its own */
	"setsid sh -c 'echo $$ > %s; exec sleep 1000' & exec sleep 1000",
	/* without an environment */
	"env -i sh -c 'echo $$ > %s; exec sleep 1000' & exec sleep 1000",
	"exec env -i sh -c 'echo $$ > %s; exec sleep 1000'",
	/* both, its parent gone */
	"(setsid env -i sh -c 'echo $$ > %s; exec sleep 1000' &) ; exit 0",
	/* with an environment that says something else */
	"(setsid env -i DEFERD_SERVER_ID=x sh -c 'echo $$ > %s; exec sleep 1000' &) ; exec sleep 1000",
	/* deaf and stopped */
	"trap '' TERM; echo $$ > %s; kill -STOP $$",
};

static void
test_leftovers(void **state)
{
	for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++) {
		struct record record = crash(crashes[i]);
		struct identity another = record.server;

		id_generate(&another.id);
		assert_int_equal(identity_state(&record.server), IDENTITY_ENDED);
		/* What another server has left is not ours. */
		assert_int_equal(orphans_kill_leftovers(&another, 1), 0);
		assert_false(is_gone(record.said));
		unsigned killed = orphans_kill_leftovers(&record.server, 1);
		if (killed == 0 || !is_gone(record.said))
			fail_msg("crash %zu: %u killed", i, killed);
		while (wait(NULL) > 0)
			;
	}
}

static void
test_leftovers_are_counted(void **state)
{
	struct record record =
		crash("for i in 1 2 3; do sleep 1000 & done; setsid sh -c 'echo $$ > %s; exec sleep 1000' & "
		      "exec sleep 1000");

	assert_int_equal(orphans_kill_leftovers(&record.server, 1), 5);
	assert_int_equal(orphans_kill_leftovers(&record.server, 1), 0);
	assert_int_equal(orphans_kill_leftovers(NULL, 0), 0);
	assert_false(has_children());
}

static int
setup(void **state)
{
	int rc = processes_setup(state);

	orphans_start();
	return rc;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree_is_killed),
		cmocka_unit_test(test_tree_of_another_lives),
		cmocka_unit_test(test_orphans_of_the_ended),
		cmocka_unit_test(test_running_are_left_alone),
		cmocka_unit_test(test_status_is_not_stolen),
		cmocka_unit_test(test_strangers_live),
		cmocka_unit_test(test_start_wants_exit_statuses),
		cmocka_unit_test(test_leftovers),
		cmocka_unit_test(test_leftovers_are_counted),
	};

	return cmocka_run_group_tests(tests, setup, processes_teardown);
}
