/* A program's standard error on its way to the log. */
#include "work/program/error_log.h"

#include "common/log.h"

#include <stdbool.h>

void
error_log_init(struct error_log *log, const struct id *id)
{
	*log = (struct error_log){.id = *id};
}

/* The cost of a line in addition to its bytes, so that a flood of short lines is bounded as well. */
#define LINE_COST 16

static bool
is_full(const struct error_log *log)
{
	return log->logged > ERROR_LOG_MAX;
}

static void
on_line(void *arg, const char *line, size_t len)
{
	struct error_log *log = arg;
	/* Room for quotes and a few escapes; a line of nothing but escapes is cut earlier. */
	char quoted[LINES_MAX + 64];

	if (is_full(log) || len == 0)
		return;
	log->logged += len + LINE_COST;
	if (is_full(log))
		log_info("program writes too much: the rest is not logged", "operation=%s", LOG_ID(&log->id));
	else
		log_info("program wrote", "operation=%s line=%s", LOG_ID(&log->id),
			log_quote(line, quoted, sizeof quoted));
}

void
error_log_feed(struct error_log *log, const char *data, size_t len)
{
	if (!is_full(log))
		lines_feed(&log->lines, data, len, on_line, log);
}

void
error_log_finish(struct error_log *log)
{
	if (!is_full(log))
		lines_finish(&log->lines, on_line, log);
}
