/* The progress bar on standard error: only where that is a terminal. */
#pragma once

#include "common/text.h"
#include "deferctl/monitor.h"

#include <stdint.h>

/* All zero is a bar that has seen nothing. */
struct bar {
	bool is_shown, is_coloured;
	bool has_first;
	int first; /* the first progress that was seen, and when */
	int64_t first_ms;
};

/* Looks whether there is a terminal and whether it may have colours (NO_COLOR). */
void bar_init(struct bar *bar, bool is_quiet);

/* Adds the bar's line for columns columns to line: state, rate and remaining time as far as they can be told. */
void bar_format(struct bar *bar, const struct monitor_news *news, int64_t now_ms, unsigned columns,
	struct text *line);

void bar_draw(struct bar *bar, const struct monitor_news *news);
void bar_clear(const struct bar *bar);
