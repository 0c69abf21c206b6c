/* The input and the key of a call. */
#pragma once

#include <stdbool.h>

struct call;
struct work_input;

/* Makes the input and the key.  Returns false if the call has been answered. */
bool call_prepare(struct call *call);

/* Returns the input, lent: the call's own, or that of its operation. */
const struct work_input *call_input(const struct call *call);
