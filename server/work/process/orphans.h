/*
 * Finds and kills processes that have left their program's process group.
 *
 * The server is a child subreaper: processes that a program leaves behind become its children sooner or later.
 * /proc shows the parents, the environment shows the operation.  Each of these calls reads all of /proc,
 * repeatedly while processes have to be killed.
 */
#pragma once

#include "common/id.h"

#include <stdint.h>
#include <sys/types.h>

/* Makes this process the reaper of its descendants' orphans.  Call it at start, before there is a child. */
void orphans_start(void);

/* Kills the leader, its descendants, its session and group, and its operation's processes elsewhere.  The leader
 * must not have been waited for yet, and is not reaped here. */
void orphans_kill_tree(pid_t leader, const struct id *id);

/* Kills and reaps processes that belong to no run.  While one call works, others return at once. */
void orphans_reap(void);

/* See program_kill_leftovers. */
unsigned orphans_kill_leftovers(const struct id *ids, size_t id_count, const pid_t *pids,
	const uint64_t *start_times, size_t pid_count);
