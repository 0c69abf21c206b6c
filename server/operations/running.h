/* From the queue to a slot and back.  For the layer; loop thread only. */
#pragma once

#include "work/work.h"

struct op;
struct operations;

/* Why a running operation is stopped. */
enum op_stop { OP_GOES_ON, OP_STOP_TIMEOUT, OP_STOP_CANCEL, OP_STOP_DRAIN };

/* Starts the operations that may start now, and reports a finished drain.  Every entry from outside (a completion,
 * a timer, a call from above) ends in it. */
void op_step(struct operations *operations);

/* Stops op's work, or keeps it from beginning.  The first reason counts. */
void op_stop_work(struct op *op, enum op_stop why, enum work_stop how);

/* Ends op, whose work was stopped, as the reason demands.  A drain leaves it to the next start. */
void op_end_stopped(struct op *op, enum op_stop stop);
