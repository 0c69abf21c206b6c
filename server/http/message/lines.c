/* The head of a request as the guard has passed it: its method and target, and its fields line by line. */
#include "http/message/lines.h"

#include "common/text.h"
#include "http/message/shared.h"

#include <stdlib.h>
#include <string.h>

static unsigned
count_ends(const char *at, const char *end)
{
	unsigned count = 0;

	while ((at = memchr(at, '\n', (size_t)(end - at)))) {
		at++;
		count++;
	}
	return count;
}

static void
read_first_line(struct lines *lines, char *line)
{
	size_t method_len = strcspn(line, " ");
	bool has_target = line[method_len] == ' ';

	line[method_len] = '\0';
	lines->method = http_method_find(line);
	lines->target = has_target ? line + method_len + 1 : "";
	lines->target_len = strcspn(lines->target, " \r");
	if (has_target)
		line[method_len + 1 + lines->target_len] = '\0';
}

/* A whole line, without its CRLF. */
static void
read_field(struct lines *lines, char *line)
{
	char *colon = strchr(line, ':');

	if (!colon)
		return;
	*colon = '\0';
	char *value = colon + 1 + strspn(colon + 1, " \t");
	for (size_t len = strlen(value); len > 0 && strchr(" \t", value[len - 1]); len--)
		value[len - 1] = '\0';
	lines->fields[lines->count++] = (struct lines_field){line, value};
}

void
lines_read(const char *data, size_t len, struct lines *ret_lines)
{
	struct lines lines = {.text = xstrndup(data, len)};
	char *at = lines.text;

	lines.fields = xcalloc(count_ends(data, data + len) + 1, sizeof *lines.fields);
	for (char *end; (end = strstr(at, "\r\n")); at = end + 2) {
		*end = '\0';
		if (!lines.target)
			read_first_line(&lines, at);
		else
			read_field(&lines, at);
	}
	if (!lines.target)
		read_first_line(&lines, at);
	*ret_lines = lines;
}

void
lines_fini(struct lines *lines)
{
	free(lines->text);
	free(lines->fields);
}

const char *
lines_find(const struct lines *lines, const char *name)
{
	for (unsigned i = 0; i < lines->count; i++)
		if (strcasecmp(lines->fields[i].name, name) == 0)
			return lines->fields[i].value;
	return NULL;
}

void
lines_each(const struct lines *lines, http_each_fn fn, void *arg)
{
	for (unsigned i = 0; i < lines->count; i++)
		fn(lines->fields[i].name, lines->fields[i].value, arg);
}

/* The first line and the empty one have left room for a field more. */
void
lines_put(struct lines *lines, const char *name, const char *value)
{
	unsigned i = 0;

	while (i < lines->count && strcasecmp(lines->fields[i].name, name) != 0)
		i++;
	lines->fields[i] = (struct lines_field){name, value};
	if (i == lines->count)
		lines->count++;
}

struct seen *
seen_new(struct http_shared *shared, const char *data, size_t len)
{
	struct lines lines;

	lines_read(data, len, &lines);
	size_t path_len = strcspn(lines.target, "?");
	struct seen *seen = xcalloc(1, sizeof *seen + path_len + 1);
	seen->method = lines.method;
	seen->path_len = path_len;
	memcpy(seen->path, lines.target, path_len);
	http_shared_choose_id(shared, lines_find(&lines, "X-Request-Id"), seen->id);
	lines_fini(&lines);
	return seen;
}
