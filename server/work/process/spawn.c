/*
 * Starting a process.
 *
 * vfork(2) lends the child our memory until it has become the program, while the thread that called waits.
 * So the child calls nothing but system calls, and writes to no memory but its own frames; what has failed it
 * tells by a pipe that is closed by success.  Signals are blocked around it, for a handler of ours must not
 * run in the child.
 */
#include "work/process/spawn.h"

#include "common/cleanup.h"
#include "work/process/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where the child has its end of the pipe. */
#define REPORT_FD (SPAWN_LOWEST_FD - 1)

/* The arguments of the child. */
struct child {
	const struct spawn_spec *spec;
	int report_fd;
};

int
spawn_move_up(int *fd)
{
	if (*fd >= SPAWN_LOWEST_FD)
		return 0;
	int moved = fcntl(*fd, F_DUPFD_CLOEXEC, SPAWN_LOWEST_FD);
	if (moved < 0)
		return errno == EINVAL ? -EMFILE : -errno; /* the limit is lower still */
	close(*fd);
	*fd = moved;
	return 0;
}

static void
reset_signals(void)
{
	const struct sigaction standard = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		(void)sigaction(number, &standard, NULL); /* some are not for us to set */
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Puts fd, or /dev/null, in place. */
static int
put_fd(int fd, int place)
{
	if (fd >= 0)
		return dup2(fd, place) < 0 ? -errno : 0;
	(void)close(place);
	int null = open("/dev/null", O_RDONLY);
	if (null < 0)
		return -errno;
	if (null == place)
		return 0;
	int rc = dup2(null, place) < 0 ? -errno : 0;
	(void)close(null);
	return rc;
}

static int
put_fds(const struct spawn_spec *spec)
{
	int rc = 0;

	for (int place = 0; rc == 0 && place < SPAWN_FDS; place++)
		rc = put_fd(spec->fds[place], place);
	if (rc == 0)
		closefrom(SPAWN_LOWEST_FD);
	return rc;
}

static int
add_nice(int nice)
{
	if (nice == 0)
		return 0;
	errno = 0;
	int own = getpriority(PRIO_PROCESS, 0);
	if (errno != 0)
		return -errno;
	return setpriority(PRIO_PROCESS, 0, own + nice) < 0 ? -errno : 0;
}

/* The child's way to the program; answers only where it ends before. */
static int
become_program(const struct spawn_spec *spec)
{
	int rc = put_fds(spec);

	if (rc == 0 && setsid() < 0)
		rc = -errno;
	if (rc == 0 && chdir(spec->directory) < 0)
		rc = -errno;
	if (rc == 0)
		rc = add_nice(spec->nice);
	if (rc == 0)
		rc = program_limits_set(spec->limits);
	/* A server that is itself a program of another deferd may be refused; the environment then has to do. */
	if (rc == 0 && spec->mark != 0)
		(void)!identity_set_mark(spec->mark);
	if (rc < 0)
		return rc;
	reset_signals();
	execve(spec->argv[0], spec->argv, spec->env);
	return -errno;
}

static _Noreturn void
run_child(const struct child *child)
{
	int report_fd = dup3(child->report_fd, REPORT_FD, O_CLOEXEC);
	int error = report_fd < 0 ? -errno : become_program(child->spec);

	if (report_fd < 0)
		report_fd = child->report_fd;
	while (write(report_fd, &error, sizeof error) < 0 && errno == EINTR)
		;
	_exit(127);
}

static pid_t
start_child(const struct child *child)
{
	pid_t pid = vfork();

	if (pid == 0)
		run_child(child);
	return pid < 0 ? -errno : pid;
}

/* Reads the message of the child: 0 once it has become the program. */
static int
read_report(int fd)
{
	int error;
	ssize_t len;

	do
		len = read(fd, &error, sizeof error);
	while (len < 0 && errno == EINTR);
	return len == sizeof error ? error : 0;
}

static int
start_blocked(const struct child *child, pid_t *ret_pid)
{
	sigset_t all, before;

	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	*ret_pid = start_child(child);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return *ret_pid < 0 ? *ret_pid : 0;
}

static void
wait_for(pid_t pid)
{
	siginfo_t info;

	while (waitid(P_PID, (id_t)pid, &info, WEXITED) < 0 && errno == EINTR)
		;
}

int
spawn_process(const struct spawn_spec *spec, pid_t *ret_pid)
{
	CLEANUP_CLOSE int report = -1;
	struct child child = {.spec = spec};
	int ends[2];
	pid_t pid = -1;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	report = ends[0];
	int rc = spawn_move_up(&ends[1]);
	if (rc == 0) {
		child.report_fd = ends[1];
		rc = start_blocked(&child, &pid);
	}
	close(ends[1]);
	if (rc < 0)
		return rc;
	rc = read_report(report);
	if (rc < 0)
		wait_for(pid);
	else
		*ret_pid = pid;
	return rc;
}
