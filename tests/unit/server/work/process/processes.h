/*
 * What the tests of processes share: a scratch directory, gates that a program and its test meet at, and
 * counts of what might leak.  Nothing here waits for time; a watchdog ends a test that waits for what never
 * comes.
 */
#pragma once

#include "common/cleanup.h"
#include "common/id.h"
#include "common/text.h"
#include "work/process/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define WATCHDOG_SECONDS 240

static char scratch[256];

static inline int
processes_setup(void **state)
{
	const char *parent = getenv("TMPDIR");

	alarm(WATCHDOG_SECONDS);
	snprintf(scratch, sizeof scratch, "%s/deferd-unit-XXXXXX", parent ? parent : P_tmpdir);
	return mkdtemp(scratch) ? 0 : -1;
}

static inline int
processes_teardown(void **state)
{
	DIR *dir = opendir(scratch);

	for (struct dirent *entry; dir && (entry = readdir(dir));)
		(void)unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
	return rmdir(scratch);
}

/* The path of name in the scratch directory; lives until the eighth call after it. */
static inline const char *
scratch_path(const char *name)
{
	static char paths[8][512];
	static int next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof *paths, "%s/%s", scratch, name);
	return path;
}

/* Makes a new FIFO of that name. */
static inline const char *
make_gate(const char *name)
{
	const char *path = scratch_path(name);

	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	return path;
}

/* Waits until a program writes to the gate, and answers what: the caller frees it. */
static inline char *
read_gate(const char *path)
{
	struct text text = {0};
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	char buffer[4096];

	assert_true(fd >= 0);
	for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) > 0;)
		text_add(&text, buffer, (size_t)n);
	return text_take(&text);
}

static inline pid_t
read_gate_pid(const char *path)
{
	CLEANUP_FREE char *text = read_gate(path);
	pid_t pid = atoi(text);

	assert_true(pid > 1);
	return pid;
}

/* Waits until a program reads from the gate, and lets it through. */
static inline void
open_gate(const char *path)
{
	CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
}

/* Not even a zombie is left. */
static inline bool
is_gone(pid_t pid)
{
	return kill(pid, 0) < 0 && errno == ESRCH;
}

static inline unsigned
count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

/* Whether this process has any child, a zombie or not. */
static inline bool
has_children(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

static inline struct id
new_id(void)
{
	struct id id;

	id_generate(&id);
	return id;
}

/* The environment that marks a process as one of operation id; lives until the next call. */
static inline char **
marked_environment(const struct id *id)
{
	static char mark[sizeof PROC_MARK + ID_TEXT_SIZE], path[] = "PATH=/usr/bin:/bin";
	static char *environment[3];
	char text[ID_TEXT_SIZE];

	id_format(id, text);
	snprintf(mark, sizeof mark, "%s=%s", PROC_MARK, text);
	environment[0] = path;
	environment[1] = mark;
	return environment;
}

/* Runs script as a plain child of this process, and no program of deferd's. */
static inline pid_t
spawn_plain(const char *script, char **environment)
{
	char shell[] = "/bin/sh", option[] = "-c";
	CLEANUP_FREE char *copy = xstrdup(script);
	char *argv[] = {shell, option, copy, NULL};
	pid_t pid;

	assert_int_equal(posix_spawn(&pid, shell, NULL, NULL, argv, environment), 0);
	return pid;
}

/* Waits for a child: its status as waitpid(2) answers it. */
static inline int
wait_for(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* Waits until a child has ended, and leaves it a zombie. */
static inline void
await_zombie(pid_t pid)
{
	siginfo_t info;

	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}
