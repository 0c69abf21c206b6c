/*
 * One process of ours: spawned in a session and process group of its own, connected by pipes, killed as a
 * group, waited for by the thread that spawned it and by no other.
 *
 * It gets descriptor 0 to read from, 1 and 2 to write to, 3 (PROCESS_PROGRESS_FD) for progress, and no other;
 * every signal at its default and none blocked; no terminal.
 */
#pragma once

#include "common/blob.h"
#include "common/id.h"
#include "work/process/limits.h"
#include "work/process/running.h"
#include "work/process/user.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCESS_PROGRESS_FD 3

/* Everything is lent to process_spawn. */
struct process_spec {
	char *const *argv;     /* ended by NULL; argv[0] is the path of the file */
	char *const *env;      /* ended by NULL */
	const char *directory; /* to start in */

	/* On descriptor 0: in a file, the file itself; in memory, a pipe; NULL or empty, /dev/null. */
	const struct blob *input;

	const struct program_limits *limits; /* NULL: none */
	const struct program_user *user; /* the user that argv switches to, who owns the pipes; NULL: ours */
	int nice;			 /* added to ours */

	struct id id; /* of the operation that it runs for */
};

/* Our ends are non-blocking, and closed in every program. */
struct process {
	struct running running;
	pid_t pid;
	int pidfd;    /* readable once the process has ended; -1: not to be had here, see process_has_ended */
	int input_fd; /* to write its input to; -1: there is none to be written, or all has been */
	int output_fd;	 /* what it writes to descriptor 1; -1 after its end, as all below */
	int error_fd;	 /* to 2 */
	int progress_fd; /* to 3 */
};

/* Starts the process and fills process, which must not move.  -errno as of spawn_process, pipe(2) and open(2);
 * nothing has then to be ended.  Otherwise the caller ends it with process_wait or process_abandon. */
__attribute__((warn_unused_result)) int process_spawn(
	const struct process_spec *spec, struct process *process);

/* Sends a signal to the whole group. */
void process_signal(const struct process *process, int signal);

/* Whether the process has ended; process_wait then does not block. */
bool process_has_ended(const struct process *process);

/* Closes *fd, a member of process, if it is open. */
void process_close(int *fd);

/* Kills the rest of the group, waits for the process (which must have ended) and for group members that have
 * become our children, and closes everything.  *ret_info is as waitid(2) fills it. */
void process_wait(struct process *process, siginfo_t *ret_info);

/* Gives up a process that cannot be killed: it is treated as an orphan from now on. */
void process_abandon(struct process *process);
