/* Processes as /proc tells of them. */
#include "work/process/proc.h"

#include "common/cleanup.h"
#include "common/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Beyond this many bytes an environment is not searched: the mark stands first in what we give a program. */
#define ENVIRON_MAX ((size_t)1024 * 1024)

/* How much of a file is read at once; more than a stat ever has. */
#define READ_STEP 2048

int
proc_read_file(pid_t pid, const char *name, size_t max, struct text *ret_text)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	for (;;) {
		char *to = text_reserve(ret_text, READ_STEP);
		ssize_t n = read(fd, to, READ_STEP);
		if (n < 0 && errno != EINTR)
			return -errno;
		ret_text->len += n > 0 ? (size_t)n : 0;
		ret_text->data[ret_text->len] = '\0';
		if (n == 0 || ret_text->len >= max)
			return 0;
	}
}

/* proc(5): "PID (COMM) STATE PPID PGRP SESSION ... NUM_THREADS _ STARTTIME ...", where COMM may hold
 * anything, brackets too. */
int
proc_read(pid_t pid, struct proc *ret_proc)
{
	struct proc proc = {.pid = pid};
	CLEANUP(text_fini) struct text stat = {0};
	int rc = proc_read_file(pid, "stat", 1, &stat);

	if (rc < 0)
		return rc;
	const char *rest = stat.data ? strrchr(stat.data, ')') : NULL;
	if (!rest)
		return -ESRCH;
	int found = sscanf(rest + 1,
		" %c %d %d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %u %*d %" SCNu64,
		&proc.state, &proc.ppid, &proc.pgid, &proc.sid, &proc.threads, &proc.start_time);
	if (found != 6)
		return -EINVAL;
	*ret_proc = proc;
	return 0;
}

bool
proc_is_zombie(const struct proc *proc)
{
	/* The state is that of the first thread, which may end before the others do. */
	return (proc->state == 'Z' || proc->state == 'X') && proc->threads <= 1;
}

uint64_t
proc_now(void)
{
	uint64_t ticks = (uint64_t)sysconf(_SC_CLK_TCK);
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * ticks + (uint64_t)now.tv_nsec / (1000000000 / ticks);
}

static int
compare_pids(const void *a, const void *b)
{
	pid_t left = ((const struct proc *)a)->pid, right = ((const struct proc *)b)->pid;

	return (left > right) - (left < right);
}

static void
add_proc(struct proc_table *table, size_t *size, const struct proc *proc)
{
	if (table->count == *size) {
		*size = *size ? *size * 2 : 256;
		struct proc *procs = reallocarray(table->procs, *size, sizeof *procs);
		if (!procs)
			abort();
		table->procs = procs;
	}
	table->procs[table->count++] = *proc;
}

int
proc_table_read(struct proc_table *ret_table)
{
	struct proc_table table = {0};
	size_t size = 0;
	DIR *dir = opendir("/proc");

	if (!dir)
		return -errno;
	for (struct dirent *entry; (entry = readdir(dir));) {
		uint64_t pid;
		struct proc proc;
		/* A process that has ended since it was listed is left out. */
		if (text_parse_uint(entry->d_name, strlen(entry->d_name), INT32_MAX, &pid) == 0 &&
			proc_read((pid_t)pid, &proc) == 0)
			add_proc(&table, &size, &proc);
	}
	closedir(dir);
	if (table.count > 0)
		qsort(table.procs, table.count, sizeof *table.procs, compare_pids);
	*ret_table = table;
	return 0;
}

void
proc_table_fini(struct proc_table *table)
{
	free(table->procs);
	*table = (struct proc_table){0};
}

const struct proc *
proc_table_find(const struct proc_table *table, pid_t pid)
{
	struct proc key = {.pid = pid};

	return table->count ? bsearch(&key, table->procs, table->count, sizeof key, compare_pids) : NULL;
}

/* Reads an id from the variable of that name. */
static int
read_id(pid_t pid, const char *name, struct id *ret_id)
{
	size_t name_len = strlen(name);
	CLEANUP(text_fini) struct text variables = {0};
	int rc = proc_read_file(pid, "environ", ENVIRON_MAX, &variables);

	if (rc < 0)
		return rc;
	if (variables.len == 0)
		return -EAGAIN;
	for (const char *at = variables.data; at < variables.data + variables.len; at += strlen(at) + 1) {
		if (strncmp(at, name, name_len) != 0 || at[name_len] != '=')
			continue;
		const char *value = at + name_len + 1;
		return id_parse(value, strlen(value), ret_id) == 0 ? 0 : -ENOENT;
	}
	return -ENOENT;
}

int
proc_read_mark(pid_t pid, struct id *ret_id)
{
	return read_id(pid, PROC_MARK, ret_id);
}

int
proc_read_server_mark(pid_t pid, struct id *ret_id)
{
	return read_id(pid, PROC_SERVER_MARK, ret_id);
}

bool
proc_lacks_pidfd(int error)
{
	return error == ENOSYS || error == EPERM;
}

/* Opens a pidfd of that very process: once it is held, the pid that is looked at again cannot become
 * another's unseen.  Where there are none, *ret_fd is -1, and a moment remains in which it could. */
static int
open_pidfd(const struct proc *proc, int *ret_fd)
{
	struct proc now;
	int fd = pidfd_open(proc->pid, 0);

	if (fd < 0 && !proc_lacks_pidfd(errno))
		return -errno;
	int rc = proc_read(proc->pid, &now);
	if (rc == 0 && now.start_time == proc->start_time) {
		*ret_fd = fd;
		return 0;
	}
	if (fd >= 0)
		close(fd);
	return rc < 0 ? rc : -ESRCH;
}

int
proc_signal(const struct proc *proc, int signal)
{
	CLEANUP_CLOSE int fd = -1;
	int rc = open_pidfd(proc, &fd);

	if (rc < 0)
		return rc;
	rc = fd >= 0 ? pidfd_send_signal(fd, signal, NULL, 0) : kill(proc->pid, signal);
	return rc == 0 ? 0 : -errno;
}

void
proc_reap(const struct proc *proc)
{
	CLEANUP_CLOSE int fd = -1;
	siginfo_t info;

	if (open_pidfd(proc, &fd) == 0)
		(void)waitid(fd >= 0 ? P_PIDFD : P_PID, (id_t)(fd >= 0 ? fd : proc->pid), &info,
			WEXITED | WNOHANG);
}
