/*
 * Processes that outlive their place in a program's process group, and how they are found and killed.
 *
 * The server is a child subreaper: whatever a program leaves behind becomes the server's child sooner or
 * later.  /proc tells the parents; the environment tells the operation.  Each of these calls reads /proc
 * whole, as often as killing takes.
 */
#pragma once

#include "common/id.h"

#include <stdint.h>
#include <sys/types.h>

/* Makes this process the reaper of its descendants' orphans.  Call it at start, before there is a child. */
void orphans_start(void);

/* Kills the leader, all its descendants, its session and group, and what its operation left elsewhere.  The
 * leader must not have been waited for yet; it is left to its waiter. */
void orphans_kill_tree(pid_t leader, const struct id *id);

/* Kills and reaps what belongs to no run.  One call at a time does it, another that comes meanwhile returns
 * at once. */
void orphans_reap(void);

/* See program_kill_leftovers. */
unsigned orphans_kill_leftovers(const struct id *ids, size_t id_count, const pid_t *pids,
	const uint64_t *start_times, size_t pid_count);
