/*
 * The log of what is asked and what becomes of it: a line a request and a line an operation's end.  Polls and
 * other reads that went well are at level debug, for they are no events; calls, refusals and ends are at
 * level information.  Never a body, a key, a token or a whole id.
 */
#pragma once

#include "http/request.h"
#include "operations/op.h"

#include <stdint.h>

/* request is NULL for what the guard has refused. */
void access_log_reply(const struct http_request *request, int status, uint64_t body_bytes);
void access_log_end(const struct op *op);
