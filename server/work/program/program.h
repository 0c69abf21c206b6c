/*
 * Program work: runs an executable per call, without a shell, in its own process group (contract: "Program").
 *
 * The process begins in a session of its own with descriptors 0 to 2 and 3 for its progress, no other, every
 * signal at its default, the server's first soft limit of descriptors and the environment of environment.h.
 * Its end is the end of the run, even if another process holds its pipes; the rest of its group is then killed.
 * Filters and CGI programs fail when they exit with a status other than 0 or by a signal, whatever they have
 * written; a CGI response is read only after a good end.
 */
#pragma once

#include "work/process/limits.h"
#include "work/work.h"

#include <stdbool.h>
#include <stddef.h>

enum program_protocol {
	PROGRAM_FILTER, /* body to standard input, standard output is the response's body */
	PROGRAM_CGI,	/* RFC 3875: standard output begins with header lines */
};

struct program_config {
	char **argv; /* ended by NULL; argv[0] is a path with a slash; may have {name} in all but argv[0] */
	enum program_protocol protocol;
	char *response_type;	 /* of a filter's output; NULL: application/octet-stream */
	char **env;		 /* "NAME=value", ended by NULL; NULL: none */
	char *working_directory; /* NULL: "/" */
	struct program_limits limits;
	unsigned nice; /* 0 to 19 */
	char *user;    /* to run as; NULL: the server's */
};

/* Makes the work.  Copies config.  Names in argv were checked by the configuration (program_each_name).
 * -EINVAL if argv[0] has no slash, an entry of env is no "NAME=value", response_type is no value of a
 * field, or the user is none that the server may switch to. */
__attribute__((warn_unused_result)) int program_new(
	const struct program_config *config, struct work **ret_work);

/* Calls fn for every {name} in an argument, in order; other braces are literal.  Stops when fn answers
 * non-zero and returns that. */
int program_each_name(const char *argument, int (*fn)(const char *name, size_t len, void *arg), void *arg);

/* Kills and reaps processes that programs of ended operations have left behind (daemons that left their
 * process group), and reaps those of running ones that have ended.  Called now and then, about once a second,
 * from a pool thread; a system call when there are none.  It takes half a second at most. */
void program_reap_orphans(void);

/* At start, before there is a child and the limit of descriptors is raised: that limit is what programs begin
 * with.  Makes this process the reaper of its descendants' orphans (PR_SET_CHILD_SUBREAPER), and has it wait
 * for its children itself (SIGCHLD at its default). */
void program_start(void);

/* The line that the lock file of the state holds of this server: PROGRAM_SERVER_LEN characters and their NUL.
 * After program_start. */
#define PROGRAM_SERVER_LEN 112
void program_format_server(char ret_line[static PROGRAM_SERVER_LEN + 1]);

/* After a crash: kills all processes that programs of earlier servers have left on this machine.  servers are the
 * lines of those servers, each ended by a line feed; other lines are ignored.  A server that still lives keeps its
 * programs, as does one that lives above such a process: its state was copied.  Waits until they are gone, ten
 * seconds at most.  Returns how many were killed. */
unsigned program_kill_leftovers(const char *servers);
