/* Lines out of bytes. */
#include "work/program/lines.h"

#include <string.h>

static void
add(struct lines *lines, const char *data, size_t len)
{
	size_t room = LINES_MAX - lines->len;

	if (len > room)
		len = room;
	if (len > 0)
		memcpy(lines->line + lines->len, data, len);
	lines->len += len;
}

static void
end_line(struct lines *lines, lines_fn fn, void *arg)
{
	size_t len = lines->len;

	if (len > 0 && lines->line[len - 1] == '\r')
		len--;
	lines->line[len] = '\0';
	lines->len = 0;
	fn(arg, lines->line, len);
}

void
lines_feed(struct lines *lines, const char *data, size_t len, lines_fn fn, void *arg)
{
	const char *end = data + len;

	while (data < end) {
		const char *newline = memchr(data, '\n', (size_t)(end - data));
		add(lines, data, (size_t)((newline ? newline : end) - data));
		if (!newline)
			return;
		end_line(lines, fn, arg);
		data = newline + 1;
	}
}

void
lines_finish(struct lines *lines, lines_fn fn, void *arg)
{
	if (lines->len > 0)
		end_line(lines, fn, arg);
}
