/*
 * The phases of an operation, from its submission to its end.  A phase says which list holds the operation,
 * which time limit runs, and what it counts as.  op_go() is the only way from one phase to another.  Loop
 * thread only.
 */
#pragma once

#include <stdbool.h>

struct op;

enum op_phase {
	PHASE_NEW,	 /* made a moment ago, counted nowhere */
	PHASE_ACCEPTING, /* on its way to disk; the client does not know it yet */
	PHASE_HELD,	 /* its body is being validated; in operations->held */
	PHASE_BEHIND,	 /* an earlier change of its resource has not ended; in operations->blocked */
	PHASE_WAITING,	 /* in its route's queue */
	PHASE_ATTACHING, /* its change is on its way to disk */
	PHASE_BEGINNING, /* it has a slot; its start is on its way to disk, and it still looks queued */
	PHASE_WORKING,	 /* it has a slot, and its work runs; in operations->running */
	PHASE_ENDING,	 /* its end is decided and on its way to disk; nothing changes it any more */
	PHASE_LEFT,	 /* left to the next start of the server, or, during recovery, about to end */
	PHASE_OVER,	 /* it has ended or was dropped; its struct op_run is about to go */
	PHASE_COUNT,
};

/* Moves op to a phase: changes its list, starts or stops its time limit, counts it anew and sets the state
 * that clients see.  A move that op_may_go() does not allow is a mistake of ours: it fails an assert. */
void op_go(struct op *op, enum op_phase phase);

/* Whether an operation may go from one phase to the other. */
bool op_may_go(enum op_phase from, enum op_phase phase);

/* Whether the operation has been accepted and waits for validation, for its turn, or for a slot. */
bool op_waits(const struct op *op);
