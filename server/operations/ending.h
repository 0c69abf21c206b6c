/* The end of an operation, and the time after it.  For the layer; loop thread only. */
#pragma once

#include "operations/op.h"
#include "work/work.h"

/* Ends op: the end becomes durable if op is stored, and is then shown.  Takes what result holds.  An operation that
 * is not stored may be freed before this returns. */
void op_end(struct op *op, enum op_state end, struct work_result *result);

/* The same with a problem as the result; detail is copied and may be NULL. */
void op_end_with(struct op *op, enum op_state end, enum problem problem, const char *detail);

/* Leaves op to the next start of the server, as a crash would.  A synchronous call that is not stored ends with a
 * 503. */
void op_interrupt(struct op *op);

/* Whether the work of an operation that ended so never began, for certain: then its key may be used again. */
bool op_frees_key(const struct op *op, enum op_state end);

/* Keeps the result, or the tombstone, for that long. */
void op_keep(struct op *op, int64_t for_ms);

/* Frees op, here and in the store. */
void op_forget(struct op *op);

/* The function of op's timer in every state. */
void op_on_timer(struct timer *timer);
