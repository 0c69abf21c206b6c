/* Submission of a call as an operation, and its answer. */
#pragma once

#include "operations/operations.h"

#include <stdbool.h>

struct call;

/* Submits the call, with its change if it has one; or joins the operation that had its key. */
void call_submit_or_join(struct call *call);

/* If an operation has the call's key and was made by the same request, that answers, and the result is true. */
bool call_join_same(struct call *call);

/* Submits or joins the call as it is, with its body still to be judged. */
void call_submit_unjudged(struct call *call);

/* Answers that the server has no room. */
void call_refuse_load(struct call *call, enum op_refusal refusal);

/* Answers with op, at once or when it has ended. */
void call_await(struct call *call, struct op *op);
