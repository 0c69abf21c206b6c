/*
 * Starts a process as cheaply as posix_spawn(3), which copies no memory of the server, and with the resource
 * limits and niceness that posix_spawn cannot set.
 */
#pragma once

#include "work/process/limits.h"

#include <stdint.h>
#include <sys/types.h>

/* A child gets descriptors 0 to SPAWN_FDS - 1.  The ones we pass must be SPAWN_LOWEST_FD or above. */
#define SPAWN_FDS 4
#define SPAWN_LOWEST_FD 5

/* Moves *fd to SPAWN_LOWEST_FD or above, so that the child's dup2() calls cannot close it.  -errno, and *fd is then
 * unchanged. */
__attribute__((warn_unused_result)) int spawn_move_up(int *fd);

/* Everything is lent. */
struct spawn_spec {
	char *const *argv;		     /* ended by NULL; argv[0] is the path of the file */
	char *const *env;		     /* ended by NULL */
	const char *directory;		     /* to start in */
	int fds[SPAWN_FDS];		     /* become 0, 1, ...; -1: /dev/null to read from */
	const struct program_limits *limits; /* NULL: none */
	int nice;			     /* added to ours */
	uint64_t mark;			     /* of its run (identity.h); 0: none */
};

/*
 * Starts a process in a session of its own, with every signal at its default and none blocked, and
 * only the given descriptors.  -errno of the step that failed: then there is no process.
 */
__attribute__((warn_unused_result)) int spawn_process(const struct spawn_spec *spec, pid_t *ret_pid);
