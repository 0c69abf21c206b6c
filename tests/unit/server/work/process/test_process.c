/* One process: its spawn, what it gets, and its end. */
#include "tests/unit/server/work/process/processes.h"

#include "work/process/process.h"

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* Spawns /bin/sh -c script, or what argv says. */
static int
spawn(struct process *process, const char *script, char **argv, const char *directory,
	const struct blob *input)
{
	char shell[] = "/bin/sh", option[] = "-c";
	CLEANUP_FREE char *copy = xstrdup(script ? script : "");
	char *shell_argv[] = {shell, option, copy, NULL};
	struct id id = new_id();
	struct process_spec spec = {
		.argv = argv ? argv : shell_argv,
		.env = marked_environment(&id),
		.directory = directory ? directory : "/",
		.input = input,
		.id = id,
	};

	return process_spawn(&spec, process);
}

/* Everything that can be read from fd until its end. */
static char *
read_all(int fd)
{
	struct text text = {0};
	char buffer[4096];
	ssize_t n;

	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
	while ((n = read(fd, buffer, sizeof buffer)) > 0)
		text_add(&text, buffer, (size_t)n);
	assert_int_equal(n, 0);
	return text_take(&text);
}

/* Waits until the process has ended, then ends it: its exit status, or minus its signal. */
static int
end(struct process *process)
{
	siginfo_t info;

	await_zombie(process->pid);
	assert_true(process_has_ended(process));
	process_wait(process, &info);
	assert_int_equal(process->pidfd, -1);
	assert_int_equal(process->output_fd, -1);
	return info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
}

static void
assert_says(const char *script, const struct blob *input, const char *directory, const char *expected)
{
	struct process process;

	assert_int_equal(spawn(&process, script, NULL, directory, input), 0);
	CLEANUP_FREE char *output = read_all(process.output_fd);
	if (strcmp(output, expected) != 0)
		fail_msg("%s: %s", script, output);
	assert_int_equal(end(&process), 0);
}

/* What a program finds: this very test, run as one (see main), tells it. */
static int
tell_state(void)
{
	sigset_t blocked;
	int ignored = 0, is_blocked = 0;
	char directory[512];

	printf("descriptors");
	for (int fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf(" %d", fd);
	sigprocmask(SIG_BLOCK, NULL, &blocked);
	for (int signal = 1; signal <= SIGRTMAX; signal++) {
		struct sigaction action;
		if (sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
			ignored++;
		is_blocked += sigismember(&blocked, signal) == 1;
	}
	printf("; %d signals ignored, %d blocked", ignored, is_blocked);
	printf("; leads its group %d, its session %d", getpgrp() == getpid(), getsid(0) == getpid());
	printf("; terminal %d", open("/dev/tty", O_RDWR) >= 0);
	printf("; in %s", getcwd(directory, sizeof directory));
	return fflush(stdout) == 0 ? 0 : 1;
}

static char self_path[512];

static void
test_state_of_a_program(void **state)
{
	char option[] = "tell-state";
	char *argv[] = {self_path, option, NULL};
	struct process process;
	sigset_t all, before;

	/* The worst that we can be: descriptors that were not marked to be closed, signals blocked and
	 * ignored. */
	int leaked = dup2(STDERR_FILENO, 77);
	assert_int_equal(leaked, 77);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGRTMAX, SIG_IGN);
	assert_int_equal(spawn(&process, NULL, argv, scratch, NULL), 0);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGRTMAX, SIG_DFL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	close(leaked);

	CLEANUP_FREE char *output = read_all(process.output_fd);
	CLEANUP_FREE char *expected = xasprintf("descriptors 0 1 2 3; 0 signals ignored, 0 blocked; leads "
						"its group 1, its session 1; terminal 0; in %s",
		scratch);
	assert_string_equal(output, expected);
	assert_int_equal(end(&process), 0);
}

static void
test_places(void **state)
{
	struct process process;

	assert_int_equal(
		spawn(&process, "echo one; echo two >&2; echo three >&3; read x; exit 5", NULL, NULL, NULL),
		0);
	CLEANUP_FREE char *output = read_all(process.output_fd);
	CLEANUP_FREE char *error = read_all(process.error_fd);
	CLEANUP_FREE char *progress = read_all(process.progress_fd);
	assert_string_equal(output, "one\n");
	assert_string_equal(error, "two\n");
	assert_string_equal(progress, "three\n");
	assert_int_equal(process.input_fd, -1);
	assert_int_equal(end(&process), 5);
}

static void
test_input(void **state)
{
	struct blob *empty = blob_new("", 0);
	struct blob_sink sink;
	struct blob *file;
	struct process process;
	int dir_fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_says("wc -c; readlink /proc/self/fd/0", NULL, NULL, "0\n/dev/null\n");
	assert_says("wc -c; readlink /proc/self/fd/0", empty, NULL, "0\n/dev/null\n");
	blob_unref(empty);

	/* a file is given itself */
	blob_sink_init(&sink, dir_fd, UINT64_MAX);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(blob_sink_write(&sink, "123456789\n", 10), 0);
	assert_int_equal(blob_sink_finish(&sink, &file), 0);
	assert_true(blob_is_file(file));
	CLEANUP_FREE char *expected = xasprintf("1000000\n%s/%s\n", scratch, blob_name(file));
	assert_says("wc -c; readlink /proc/self/fd/0", file, NULL, expected);
	blob_unref(file);

	/* what is in memory is written to a pipe, by the caller */
	struct blob *memory = blob_new("hello", 5);
	assert_int_equal(spawn(&process, "cat", NULL, NULL, memory), 0);
	assert_true(process.input_fd >= 0);
	assert_int_equal(write(process.input_fd, "hello", 5), 5);
	process_close(&process.input_fd);
	assert_int_equal(process.input_fd, -1);
	CLEANUP_FREE char *output = read_all(process.output_fd);
	assert_string_equal(output, "hello");
	assert_int_equal(end(&process), 0);
	blob_unref(memory);
	close(dir_fd);
}

/* Our pipes may come to stand where the program's descriptors belong. */
static void
test_low_descriptors(void **state)
{
	struct blob *input = blob_new("x", 1);
	int saved[4];

	for (int fd = 0; fd < 4; fd++)
		saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 100);
	for (int closed = 1; closed < 16; closed++) {
		struct process process;
		char *output = NULL, *error = NULL;
		int rc;

		for (int fd = 0; fd < 4; fd++)
			if (closed & 1 << fd)
				close(fd);
		rc = spawn(&process, "echo out; echo err >&2; cat", NULL, NULL, input);
		if (rc == 0) {
			(void)!write(process.input_fd, "in", 2);
			process_close(&process.input_fd);
			output = read_all(process.output_fd);
			error = read_all(process.error_fd);
			rc = end(&process);
		}
		for (int fd = 0; fd < 4; fd++)
			if (saved[fd] >= 0)
				dup2(saved[fd], fd);
			else
				close(fd);
		assert_int_equal(rc, 0);
		assert_string_equal(output, "out\nin");
		assert_string_equal(error, "err\n");
		free(output);
		free(error);
	}
	for (int fd = 0; fd < 4; fd++)
		if (saved[fd] >= 0)
			close(saved[fd]);
	blob_unref(input);
}

static void
write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void
assert_refused(char *path, const char *directory, int error)
{
	char *argv[] = {path, NULL};
	struct process process;

	assert_int_equal(spawn(&process, NULL, argv, directory, NULL), error);
	assert_int_equal(process.pidfd, -1);
	assert_int_equal(process.output_fd, -1);
	assert_false(has_children());
}

static void
assert_refusals(void)
{
	char shell[] = "/bin/sh", nothing[] = "/nonexistent/program", directory[] = "/";
	CLEANUP_FREE char *plain = xstrdup(scratch_path("plain")), *script = xstrdup(scratch_path("script")),
			  *orphaned = xstrdup(scratch_path("orphaned"));
	unsigned before = count_descriptors();

	write_file(plain, "#!/bin/sh\n", 0600);
	write_file(script, "echo a script without a first line for the kernel\n", 0700);
	write_file(orphaned, "#!/nonexistent/interpreter\n", 0700);
	assert_refused(nothing, "/", -ENOENT);
	assert_refused(directory, "/", -EACCES);
	assert_refused(plain, "/", -EACCES);
	assert_refused(script, "/", -ENOEXEC);
	assert_refused(orphaned, "/", -ENOENT);
	assert_refused(shell, "/nonexistent", -ENOENT);
	assert_refused(shell, plain, -ENOTDIR);
	assert_int_equal(count_descriptors(), before);
}

static void
test_refusals(void **state)
{
	assert_refusals();
}

/* Wherever descriptors run out, nothing is left open and nothing left running. */
static void
test_out_of_descriptors(void **state)
{
	struct rlimit limit, low;
	struct blob *input = blob_new("x", 1);
	unsigned refused = 0, before = count_descriptors();

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	for (rlim_t free_fds = 0; free_fds < 14; free_fds++) {
		struct process process;
		int lowest = dup(STDERR_FILENO);

		close(lowest);
		low = (struct rlimit){(rlim_t)lowest + free_fds, limit.rlim_max};
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
		int rc = spawn(&process, "cat", NULL, NULL, input);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
		if (rc == 0) {
			process_close(&process.input_fd);
			assert_int_equal(end(&process), 0);
		} else {
			assert_int_equal(rc, -EMFILE);
			refused++;
		}
		assert_int_equal(count_descriptors(), before);
		assert_false(has_children());
	}
	assert_true(refused > 0 && refused < 14);
	blob_unref(input);
}

/* The group goes with its leader, what ignores signals and what is stopped too. */
static void
test_group_is_reaped(void **state)
{
	const char *gate = make_gate("group");
	CLEANUP_FREE char *script = xasprintf("trap '' TERM HUP INT\n"
					      "for i in 1 2 3; do sleep 1000 & done\n"
					      "sh -c 'kill -STOP $$' &\n"
					      "sh -c 'sleep 1000 & echo $! > %s; exit' &\n"
					      "wait $!; exit 7",
		gate);
	struct process process;

	assert_int_equal(spawn(&process, script, NULL, NULL, NULL), 0);
	pid_t grandchild = read_gate_pid(gate);
	assert_int_equal(end(&process), 7);
	assert_true(is_gone(grandchild));
	assert_true(is_gone(-process.pid));
	assert_false(has_children());
}

/* One that was given up is an orphan like any other. */
static void
test_abandoned(void **state)
{
	unsigned before = count_descriptors();
	struct process process;
	struct proc proc;

	assert_int_equal(spawn(&process, "exec sleep 1000", NULL, NULL, NULL), 0);
	assert_int_equal(proc_read(process.pid, &proc), 0);
	assert_true(running_has_leader(&proc));
	assert_false(process_has_ended(&process));
	process_abandon(&process);
	assert_false(running_has_leader(&proc));
	assert_int_equal(count_descriptors(), before);
	assert_int_equal(kill(process.pid, SIGKILL), 0);
	assert_int_equal(wait_for(process.pid), SIGKILL);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_state_of_a_program),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_input),
		cmocka_unit_test(test_low_descriptors),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_out_of_descriptors),
		cmocka_unit_test(test_group_is_reaped),
		cmocka_unit_test(test_abandoned),
	};

	if (argc > 1 && strcmp(argv[1], "tell-state") == 0)
		return tell_state();
	assert_true(readlink("/proc/self/exe", self_path, sizeof self_path - 1) > 0);
	/* What a group leaves becomes ours. */
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	return cmocka_run_group_tests(tests, processes_setup, processes_teardown);
}
