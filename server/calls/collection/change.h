/* Calls that change a collection. */
#pragma once

struct call;

void call_change_begin(struct call *call);

/* Answers with the error of the store. */
void call_change_refused(struct call *call, int error);
