/* One process of ours: see process.h. */
#include "work/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* The first descriptor that a program does not get. */
#define FIRST_CLOSED_FD 4

/* How often we look for members of a killed group before they are left to be reaped as orphans, and the
 * longest pause between. */
#define REAP_ROUNDS 40
#define REAP_PAUSE_MAX_MS 32

/* The program's ends of what connects it to us; -1: none. */
struct far_ends {
	int input;
	int output;
	int error;
	int progress;
};

void
process_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void
close_far_ends(struct far_ends *far)
{
	process_close(&far->input);
	process_close(&far->output);
	process_close(&far->error);
	process_close(&far->progress);
}

static void
close_all(struct process *process)
{
	process_close(&process->pidfd);
	process_close(&process->input_fd);
	process_close(&process->output_fd);
	process_close(&process->error_fd);
	process_close(&process->progress_fd);
}

/* Moves *fd out of the way of the descriptors that are given to the program: dup2 over it would be the end of
 * it. */
static int
move_up(int *fd)
{
	if (*fd >= FIRST_CLOSED_FD)
		return 0;
	int moved = fcntl(*fd, F_DUPFD_CLOEXEC, FIRST_CLOSED_FD);
	if (moved < 0)
		return -errno;
	close(*fd);
	*fd = moved;
	return 0;
}

/* Makes a pipe; the caller closes both ends, whatever comes of it. */
static int
open_pipe(bool to_program, int *near, int *far)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	*near = ends[to_program ? 1 : 0];
	*far = ends[to_program ? 0 : 1];
	if (fcntl(*near, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	return move_up(far);
}

static int
open_input(const struct blob *input, struct process *process, struct far_ends *far)
{
	if (blob_len(input) == 0)
		return 0;
	if (!blob_is_file(input))
		return open_pipe(true, &process->input_fd, &far->input);
	int fd = blob_open(input);
	if (fd < 0)
		return fd;
	far->input = fd;
	return move_up(&far->input);
}

static int
open_ends(const struct process_spec *spec, struct process *process, struct far_ends *far)
{
	int rc = open_input(spec->input, process, far);

	if (rc == 0)
		rc = open_pipe(false, &process->output_fd, &far->output);
	if (rc == 0)
		rc = open_pipe(false, &process->error_fd, &far->error);
	if (rc == 0)
		rc = open_pipe(false, &process->progress_fd, &far->progress);
	return rc;
}

/* Gives every descriptor its place and closes the rest.  Answers as posix_spawn(3): 0 or an errno. */
static int
add_actions(posix_spawn_file_actions_t *actions, const struct process_spec *spec, const struct far_ends *far)
{
	int rc = far->input >= 0
			 ? posix_spawn_file_actions_adddup2(actions, far->input, STDIN_FILENO)
			 : posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(actions, far->output, STDOUT_FILENO);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(actions, far->error, STDERR_FILENO);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(actions, far->progress, PROCESS_PROGRESS_FD);
	if (rc == 0)
		rc = posix_spawn_file_actions_addclosefrom_np(actions, FIRST_CLOSED_FD);
	if (rc == 0)
		rc = posix_spawn_file_actions_addchdir_np(actions, spec->directory);
	return rc;
}

/* A session of its own rather than only a group: no terminal of the operator's to stop at, and what sets up
 * groups within it (a shell's jobs) can still be told by the session. */
static void
set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t all, none;

	sigfillset(&all);
	sigemptyset(&none);
	posix_spawnattr_setsigdefault(attributes, &all);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setflags(
		attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
}

static int
start(const struct process_spec *spec, const struct far_ends *far, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int rc = posix_spawn_file_actions_init(&actions);

	if (rc != 0)
		return -rc;
	rc = posix_spawnattr_init(&attributes);
	if (rc == 0) {
		set_attributes(&attributes);
		rc = add_actions(&actions, spec, far);
		if (rc == 0)
			rc = posix_spawn(
				ret_pid, spec->argv[0], &actions, &attributes, spec->argv, spec->env);
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&actions);
	return -rc;
}

/*
 * Waits for the members of a killed group that have become our children.  Its leader has been waited for;
 * while a member is left the number of the group cannot become another's, and after that it may: then the
 * leader seen is a stranger, and is another thread's to wait for.
 */
static void
reap_group(pid_t pgid)
{
	int pause_ms = 1;

	for (int round = 0; round < REAP_ROUNDS;) {
		siginfo_t info = {0};
		if (waitid(P_PGID, (id_t)pgid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == pgid)
			return;
		if (info.si_pid > 0) {
			(void)waitid(P_PID, (id_t)info.si_pid, &info, WEXITED | WNOHANG);
			continue;
		}
		poll(NULL, 0, pause_ms);
		pause_ms = pause_ms < REAP_PAUSE_MAX_MS ? pause_ms * 2 : REAP_PAUSE_MAX_MS;
		round++;
	}
}

/* For a process that is no use without a descriptor of it. */
static void
kill_at_once(pid_t pid)
{
	siginfo_t info;

	kill(-pid, SIGKILL);
	while (waitid(P_PID, (id_t)pid, &info, WEXITED) < 0 && errno == EINTR)
		;
	reap_group(pid);
}

static int
start_running(const struct process_spec *spec, struct process *process, const struct far_ends *far)
{
	running_add(&process->running, &spec->id);
	int rc = start(spec, far, &process->pid);
	if (rc == 0) {
		running_set_leader(&process->running, process->pid);
		process->pidfd = pidfd_open(process->pid, 0);
		if (process->pidfd >= 0 || proc_lacks_pidfd(errno))
			return 0;
		rc = -errno;
		kill_at_once(process->pid);
	}
	running_remove(&process->running);
	return rc;
}

int
process_spawn(const struct process_spec *spec, struct process *process)
{
	struct far_ends far = {-1, -1, -1, -1};

	*process = (struct process){
		.pidfd = -1, .input_fd = -1, .output_fd = -1, .error_fd = -1, .progress_fd = -1};
	int rc = open_ends(spec, process, &far);
	if (rc == 0)
		rc = start_running(spec, process, &far);
	close_far_ends(&far);
	if (rc < 0)
		close_all(process);
	return rc;
}

void
process_signal(const struct process *process, int signal)
{
	(void)kill(-process->pid, signal);
}

bool
process_has_ended(const struct process *process)
{
	siginfo_t info = {0};

	return waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid > 0;
}

void
process_wait(struct process *process, siginfo_t *ret_info)
{
	siginfo_t info = {0};

	process_signal(process, SIGKILL);
	while (waitid(P_PID, (id_t)process->pid, &info, WEXITED) < 0 && errno == EINTR)
		;
	reap_group(process->pid);
	running_remove(&process->running);
	close_all(process);
	*ret_info = info;
}

void
process_abandon(struct process *process)
{
	running_remove(&process->running);
	close_all(process);
}
