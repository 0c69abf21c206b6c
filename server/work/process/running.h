/*
 * The programs that run now: who may be waited for by its own thread alone, and whose descendants must live.
 * A run is on the list from before its spawn until after its leader has been waited for.  Any thread.
 */
#pragma once

#include "common/id.h"
#include "common/list.h"
#include "work/process/proc.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct running {
	struct list link;
	struct id id;	/* of the operation */
	pid_t leader;	/* 0: it is being spawned, or could not be */
	uint64_t since; /* no process of this run started before (proc_now) */
	uint64_t mark;	/* of its processes (identity.h) */
};

/* Puts run on the list; it must stay where it is until running_remove. */
void running_add(struct running *run, const struct id *id);
void running_set_leader(struct running *run, pid_t leader);
void running_remove(struct running *run);

/* Whether proc, a child of ours, is the leader of a run, or may become known as one. */
bool running_has_leader(const struct proc *proc);

/* Whether proc, a child of ours, may belong to a run.  mark is the operation that its environment names, NULL
 * if it names none; what names none is taken to belong to every run that is older. */
bool running_may_have(const struct proc *proc, const struct id *mark);

/* Returns the mark of the run with that leader, 0 if there is none. */
uint64_t running_mark_of(pid_t leader);

/* Whether a run has that mark. */
bool running_has_mark(uint64_t mark);

/* Whether a run has ended since the last call. */
bool running_take_ended(void);
