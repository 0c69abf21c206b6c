/* Calls that change a collection. */
#pragma once

struct call;

void call_change_begin(struct call *call);

/* Answers with the error of the store. */
void call_change_refused(struct call *call, int error);

/* Has the change judged before the call is refused for another reason: mistakes in the change come first (contract, 3).
 * Calls passed if there are none. */
void call_judge_change(struct call *call, void (*passed)(struct call *call));
