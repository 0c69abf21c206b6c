/* Waits for the end of an operation and hands out its result. */
#pragma once

#include "deferctl/exchange.h"
#include "deferctl/ticket.h"

/* Polls as Retry-After says, draws the bar, writes the result to the session's output.  Returns the exit status; it has
 * told what went wrong.  May change ticket, which stays the caller's. */
int wait_for_end(struct session *session, struct ticket *ticket);

/* Ends with the final status: writes what is left of its body, and the summary of --json. */
int wait_finish(
	struct session *session, const char *monitor, const struct exchange *exchange, bool has_failed);

/* `deferctl wait` and `deferctl cancel`: the exit status. */
int wait_command(struct session *session);
int wait_cancel_command(struct session *session);
