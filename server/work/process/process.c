/* One process of ours. */
#include "work/process/process.h"

#include "work/process/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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
	return spawn_move_up(far);
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
	return spawn_move_up(&far->input);
}

/* Who a program runs as may open anew what it gets, as /dev/stdin or /dev/stderr: a pipe is made that user's,
 * a file may be read where it is given, and stands in a directory that is closed. */
static int
give(const struct program_user *user, int fd)
{
	return fchown(fd, user->uid, user->gid) < 0 ? -errno : 0;
}

static int
give_ends(const struct process_spec *spec, const struct process *process, const struct far_ends *far)
{
	int rc = 0;

	if (!spec->user)
		return 0;
	if (process->input_fd >= 0)
		rc = give(spec->user, far->input);
	else if (far->input >= 0 && fchmod(far->input, 0644) < 0)
		rc = -errno;
	if (rc == 0)
		rc = give(spec->user, far->output);
	if (rc == 0)
		rc = give(spec->user, far->error);
	if (rc == 0)
		rc = give(spec->user, far->progress);
	return rc;
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
	if (rc == 0)
		rc = give_ends(spec, process, far);
	return rc;
}

/* A session of its own rather than only a group: no terminal of the operator's to stop at, and what sets up
 * groups within it (a shell's jobs) can still be told by the session. */
static int
start(const struct process_spec *spec, const struct far_ends *far, uint64_t mark, pid_t *ret_pid)
{
	struct spawn_spec spawn = {
		.argv = spec->argv,
		.env = spec->env,
		.directory = spec->directory,
		.fds = {far->input, far->output, far->error, far->progress},
		.limits = spec->limits,
		.nice = spec->nice,
		.mark = mark,
	};

	return spawn_process(&spawn, ret_pid);
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
	int rc = start(spec, far, process->running.mark, &process->pid);
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
