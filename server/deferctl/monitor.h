/* What an answer of a monitor means: whether the operation has ended, how, and how far it is. */
#pragma once

#include "deferctl/ticket.h"

struct monitor_news {
	bool has_ended, has_failed;
	int progress;	   /* 0..100; -1: unknown */
	char message[101]; /* printable */
};

/* Whether the answer with status and fields is the final response of an operation with a plain monitor.  False: it has not
 * ended, or the answer is one of the server's that passes (is_passing). */
bool monitor_is_final(long status, const struct fields *fields, bool *ret_is_passing);

/* Reads how far the operation is: X-Progress, and the body of an envelope (NULL: none). */
void monitor_read(enum monitor_kind kind, const struct fields *fields, struct json_object *body,
	struct monitor_news *ret_news);
