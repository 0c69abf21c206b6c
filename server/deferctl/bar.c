/* The progress bar on standard error. */
#include "deferctl/bar.h"

#include "common/cleanup.h"
#include "common/clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#define CELLS 24
#define NARROW 56 /* columns that have no room for a bar with its rate */

void
bar_init(struct bar *bar, bool is_quiet)
{
	const char *no_color = getenv("NO_COLOR");

	*bar = (struct bar){.is_shown = !is_quiet && isatty(STDERR_FILENO)};
	bar->is_coloured = bar->is_shown && !(no_color && *no_color);
}

/* Adds rate and remaining time: known once the progress has grown. */
static void
add_rate(struct bar *bar, int progress, int64_t now_ms, struct text *line)
{
	if (!bar->has_first) {
		bar->has_first = true;
		bar->first = progress;
		bar->first_ms = now_ms;
	}
	if (progress <= bar->first || now_ms <= bar->first_ms)
		return;
	double rate = (progress - bar->first) * 1000.0 / (double)(now_ms - bar->first_ms);
	long left = (long)((100 - progress) / rate + 0.5);
	text_addf(line, "  %.1f%%/s  %ld:%02ld left", rate, left / 60, left % 60);
}

void
bar_format(
	struct bar *bar, const struct monitor_news *news, int64_t now_ms, unsigned columns, struct text *line)
{
	unsigned full = news->progress < 0 ? 0 : (unsigned)news->progress * CELLS / 100;
	size_t start = line->len;

	if (news->progress < 0) {
		text_add_string(line, "waiting");
	} else if (columns < NARROW) {
		text_addf(line, "%d%%", news->progress);
	} else {
		text_add_string(line, bar->is_coloured ? "[\033[32m" : "[");
		for (unsigned i = 0; i < CELLS; i++)
			text_add_char(line, i < full ? '#' : '.');
		text_addf(line, "%s] %3d%%", bar->is_coloured ? "\033[0m" : "", news->progress);
		add_rate(bar, news->progress, now_ms, line);
	}
	size_t used =
		line->len - start - (bar->is_coloured && news->progress >= 0 && columns >= NARROW ? 9 : 0);
	if (news->message[0] && used + 4 < columns)
		text_addf(line, "  %.*s", (int)(columns - used - 3), news->message);
}

void
bar_draw(struct bar *bar, const struct monitor_news *news)
{
	CLEANUP(text_fini) struct text line = {0};
	struct winsize size = {0};

	if (!bar->is_shown)
		return;
	ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
	bar_format(bar, news, clock_mono_ms(), size.ws_col > 0 ? size.ws_col : 80, &line);
	fprintf(stderr, "\r\033[K%s", line.data);
	fflush(stderr);
}

void
bar_clear(const struct bar *bar)
{
	if (bar->is_shown)
		fputs("\r\033[K", stderr);
}
