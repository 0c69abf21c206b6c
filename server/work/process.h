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
#include "work/program_limits.h"
#include "work/program_user.h"
#include "work/running.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCESS_PROGRESS_FD 3

/* All lent to process_spawn. */
struct process_spec {
	char *const *argv;     /* ended by NULL; argv[0] is the path of the file */
	char *const *env;      /* ended by NULL */
	const char *directory; /* to start in */

	/* On descriptor 0: in a file, the file itself; in memory, a pipe; NULL or empty, /dev/null. */
	const struct blob *input;

	const struct program_limits *limits; /* NULL: none */
	const struct program_user *user; /* whom argv makes it run as, who is to own its pipes; NULL: ours */
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

/* Fills process, which must stay where it is.  -errno: as spawn_process, pipe(2) and open(2), and then there
 * is nothing to be ended.  Else the caller ends it with process_wait or process_abandon. */
__attribute__((warn_unused_result)) int process_spawn(
	const struct process_spec *spec, struct process *process);

/* Sends a signal to the whole group. */
void process_signal(const struct process *process, int signal);

/* Whether the process has ended, and only waits for process_wait. */
bool process_has_ended(const struct process *process);

/* Closes *fd, a member of process, if it is open. */
void process_close(int *fd);

/* Kills what is left of the group, waits for the process, which must have ended, and for the members
 * of its group that have become ours, and closes everything.  *ret_info is as waitid(2) fills it. */
void process_wait(struct process *process, siginfo_t *ret_info);

/* Gives up a process that cannot be killed: it is an orphan from now on. */
void process_abandon(struct process *process);
