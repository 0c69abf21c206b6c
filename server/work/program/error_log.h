/* Writes a program's standard error to the log, line by line and up to a limit. */
#pragma once

#include "common/id.h"
#include "work/program/lines.h"

#include <stddef.h>

/* How much of one run's standard error is logged.  Empty lines are not. */
#define ERROR_LOG_MAX ((size_t)64 * 1024)

struct error_log {
	struct id id; /* of the operation */
	struct lines lines;
	size_t logged; /* bytes, plus a few per line; beyond ERROR_LOG_MAX lines are dropped */
};

void error_log_init(struct error_log *log, const struct id *id);
void error_log_feed(struct error_log *log, const char *data, size_t len);

/* Logs a last line that has no line end. */
void error_log_finish(struct error_log *log);
