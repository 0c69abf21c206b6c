/* Processes as /proc tells of them, and acting on one without ever hitting a later process of the same
 * pid. */
#pragma once

#include "common/id.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct proc {
	pid_t pid;
	pid_t ppid;
	pid_t pgid;
	pid_t sid;
	char state;	     /* of its first thread: 'R', 'S', 'T', 'Z', ... */
	unsigned threads;    /* at least 1 while it lives */
	uint64_t start_time; /* clock ticks from boot: tells a process from a later one of the same pid */
};

/* Reads /proc/PID/stat.  -ESRCH if there is no such process, -errno if /proc cannot be read. */
__attribute__((warn_unused_result)) int proc_read(pid_t pid, struct proc *ret_proc);

/* Whether it has ended, and is only kept for its parent to wait for. */
bool proc_is_zombie(const struct proc *proc);

/* The ticks that a process started now would have as its start_time, or a few less. */
uint64_t proc_now(void);

/* All processes that can be seen, in order of their pids. */
struct proc_table {
	struct proc *procs;
	size_t count;
};

/* -errno if /proc cannot be read.  The caller frees ret_table with proc_table_fini. */
__attribute__((warn_unused_result)) int proc_table_read(struct proc_table *ret_table);
void proc_table_fini(struct proc_table *table);

/* NULL if there is none. */
const struct proc *proc_table_find(const struct proc_table *table, pid_t pid);

/* The variable in the environment that says for which operation a process runs. */
#define PROC_MARK "DEFERD_OPERATION_ID"

/* Reads the operation out of a process' environment as it was when the process began.  -ENOENT if it names
 * none, -EAGAIN if the environment is empty, as it is in the midst of an execve(2) too, -errno if it may not
 * be read. */
__attribute__((warn_unused_result)) int proc_read_mark(pid_t pid, struct id *ret_id);

/* Whether pidfd_open(2) failed with error because it is not to be had: in a sandbox, or under a checker. */
bool proc_lacks_pidfd(int error);

/* Sends a signal.  -ESRCH if that process is gone, -EPERM if it is somebody else's. */
__attribute__((warn_unused_result)) int proc_signal(const struct proc *proc, int signal);

/* Reaps a zombie that is our child, if it still is there; its status is dropped. */
void proc_reap(const struct proc *proc);
