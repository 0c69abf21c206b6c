/*
 * Finds and kills processes that have left their program's process group.
 *
 * The server is a child subreaper: processes that a program leaves behind become its children sooner or later.
 * /proc shows the parents, the mark of a run (identity.h) shows whose a process is, and the environment shows it
 * where marks cannot be given.  Each of these calls reads all of /proc,
 * repeatedly while processes have to be killed.
 */
#pragma once

#include "common/id.h"
#include "work/process/identity.h"

#include <stdint.h>
#include <sys/types.h>

/* Makes this process the reaper of its descendants' orphans.  Call it at start, before there is a child. */
void orphans_start(void);

/* Kills the leader, its descendants, its session and group, and its operation's processes elsewhere.  The leader
 * must not have been waited for yet, and is not reaped here. */
void orphans_kill_tree(pid_t leader, const struct id *id);

/* Kills and reaps processes that belong to no run.  While one call works, others return at once. */
void orphans_reap(void);

/* See program_kill_leftovers; servers are those that have ended. */
unsigned orphans_kill_leftovers(const struct identity *servers, size_t count);
