/* Reads processes from /proc, and signals one without ever reaching a later process of the same pid. */
#pragma once

#include "common/id.h"
#include "common/text.h"

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

/* Whether it is a zombie: it has ended, and its parent has not waited for it yet. */
bool proc_is_zombie(const struct proc *proc);

/* Returns the start_time that a process started now would have, or a few ticks less. */
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

/* Reads /proc/PID/name into ret_text until its end, or until max bytes have come.  The caller frees ret_text in
 * any case.  -ESRCH if there is no such process, -errno. */
__attribute__((warn_unused_result)) int proc_read_file(
	pid_t pid, const char *name, size_t max, struct text *ret_text);

/* The environment variables that name the operation of a process, and the identity of its server. */
#define PROC_MARK "DEFERD_OPERATION_ID"
#define PROC_SERVER_MARK "DEFERD_SERVER_ID"

/* Reads the operation from the initial environment of a process.  -ENOENT if it names none, -EAGAIN if the
 * environment is empty (as during an execve(2)), -errno if it cannot be read. */
__attribute__((warn_unused_result)) int proc_read_mark(pid_t pid, struct id *ret_id);

/* Reads the server's identity in the same way. */
__attribute__((warn_unused_result)) int proc_read_server_mark(pid_t pid, struct id *ret_id);

/* Whether pidfd_open(2) failed with error because it is unavailable, as in a sandbox or under valgrind. */
bool proc_lacks_pidfd(int error);

/* Sends a signal.  -ESRCH if the process is gone, -EPERM if it belongs to another user. */
__attribute__((warn_unused_result)) int proc_signal(const struct proc *proc, int signal);

/* Reaps a zombie child of ours, if it still exists, and drops its status. */
void proc_reap(const struct proc *proc);
