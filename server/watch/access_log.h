/*
 * The access log: one line per request and one per end of an operation.  Calls, refusals and ends are logged at
 * level info, successful polls and other reads at level debug.  Bodies, keys, tokens and whole ids are never
 * logged.  Loop thread only.
 */
#pragma once

#include "http/message/request.h"
#include "operations/op.h"

#include <stdint.h>

/* Logs a reply. */
void access_log_reply(const struct http_request *request, int status, uint64_t body_bytes);
void access_log_end(const struct op *op);
