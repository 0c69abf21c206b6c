/*
 * Starting a process as posix_spawn(3) does, at its price (nothing of the server is copied), and with what it
 * lacks: resource limits and niceness of the process' own.
 */
#pragma once

#include "work/program_limits.h"

#include <sys/types.h>

/* What a process gets: descriptors 0 to SPAWN_FDS - 1; and from where on those are that it gets. */
#define SPAWN_FDS 4
#define SPAWN_LOWEST_FD 5

/* Moves *fd out of the way of those that a process gets: what is put in its place would be the end of it.
 * -errno, and then *fd is as it was. */
__attribute__((warn_unused_result)) int spawn_move_up(int *fd);

/* All lent. */
struct spawn_spec {
	char *const *argv;		     /* ended by NULL; argv[0] is the path of the file */
	char *const *env;		     /* ended by NULL */
	const char *directory;		     /* to start in */
	int fds[SPAWN_FDS];		     /* what becomes 0, 1, ...; -1: /dev/null to read from */
	const struct program_limits *limits; /* NULL: none */
	int nice;			     /* added to ours */
};

/*
 * Starts a process in a session of its own, with every signal at its default and none blocked, and no
 * descriptors but those given.  -errno, of whatever step has failed: then there is no process.
 */
__attribute__((warn_unused_result)) int spawn_process(const struct spawn_spec *spec, pid_t *ret_pid);
