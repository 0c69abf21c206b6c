/* Progress as a program tells it. */
#include "work/program/progress.h"

#include "common/text.h"

#include <stdlib.h>
#include <string.h>

void
progress_init(struct progress *progress, struct work_control *control)
{
	*progress = (struct progress){.control = control, .percent = -1};
}

/* The text of a line, the caller's; NULL if there is none that can be shown. */
static char *
dup_text(const char *text, size_t len)
{
	if (len > PROGRESS_TEXT_MAX) {
		len = PROGRESS_TEXT_MAX;
		while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
	}
	return len > 0 && text_is_utf8(text, len) ? xstrndup(text, len) : NULL;
}

static bool
is_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static void
on_line(void *arg, const char *line, size_t len)
{
	struct progress *progress = arg;
	const char *blank = memchr(line, ' ', len);
	size_t digits = blank ? (size_t)(blank - line) : len;
	uint64_t percent;

	if (memchr(line, '\0', len) || text_parse_uint(line, digits, 100, &percent) < 0)
		return;
	char *text = blank ? dup_text(blank + 1, len - digits - 1) : NULL;
	if (progress->percent == (int)percent && is_same(progress->text, text)) {
		free(text);
		return;
	}
	free(progress->text);
	progress->text = text;
	progress->percent = (int)percent;
	progress->is_new = true;
}

static void
tell(struct progress *progress)
{
	struct work_control *control = progress->control;

	if (progress->is_new && control->on_progress)
		control->on_progress(control, progress->percent, progress->text);
	progress->is_new = false;
}

void
progress_feed(struct progress *progress, const char *data, size_t len)
{
	lines_feed(&progress->lines, data, len, on_line, progress);
	tell(progress);
}

void
progress_finish(struct progress *progress)
{
	lines_finish(&progress->lines, on_line, progress);
	tell(progress);
}

void
progress_fini(struct progress *progress)
{
	free(progress->text);
	progress->text = NULL;
}
