/* A list of mistakes in JSON, each with its JSON Pointer. */
#include "config/settings/mistakes.h"

#include "common/cleanup.h"
#include "common/json/json.h"
#include "common/json/pointer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* How much of a value a line shows. */
#define SHOWN_MAX 80

size_t
mistakes_enter(struct mistakes *mistakes, const char *name)
{
	return json_pointer_enter(&mistakes->pointer, name);
}

size_t
mistakes_enter_index(struct mistakes *mistakes, size_t index)
{
	return json_pointer_enter_index(&mistakes->pointer, index);
}

void
mistakes_leave(struct mistakes *mistakes, size_t mark)
{
	json_pointer_leave(&mistakes->pointer, mark);
}

/* Adds line and a newline.  Escapes control characters in line. */
static void
add_escaped(struct text *lines, const char *line)
{
	for (; *line; line++) {
		unsigned char c = (unsigned char)*line;
		if (c < 0x20 || c == 0x7f)
			text_addf(lines, "\\u%04x", c);
		else
			text_add_char(lines, *line);
	}
	text_add_char(lines, '\n');
}

static void
add_line(struct mistakes *mistakes, const char *line)
{
	add_escaped(&mistakes->lines, line);
	mistakes->count++;
}

/* Adds "POINTER: SHOWN MESSAGE"; shown may be empty. */
__attribute__((format(printf, 3, 0))) static void
add(struct mistakes *mistakes, const struct text *shown, const char *format, va_list args)
{
	struct text line = {0};

	text_add_string(&line, mistakes->pointer.len > 0 ? mistakes->pointer.data : mistakes->file);
	text_add_string(&line, ": ");
	if (shown->len > 0)
		text_addf(&line, "%s ", shown->data);
	text_addv(&line, format, args);
	add_line(mistakes, line.data);
	text_fini(&line);
}

void
mistakes_warn(struct mistakes *mistakes, const char *format, ...)
{
	struct text line = {0};
	va_list args;

	text_addf(&line, "%s: ", mistakes->pointer.len > 0 ? mistakes->pointer.data : mistakes->file);
	va_start(args, format);
	text_addv(&line, format, args);
	va_end(args);
	add_escaped(&mistakes->warnings, line.data);
	text_fini(&line);
}

void
mistakes_add(struct mistakes *mistakes, const char *format, ...)
{
	const struct text nothing = {0};
	va_list args;

	va_start(args, format);
	add(mistakes, &nothing, format, args);
	va_end(args);
}

/* How much of data is shown: whole characters of UTF-8. */
static size_t
shown_len(const char *data, size_t len)
{
	if (len <= SHOWN_MAX)
		return len;
	for (len = SHOWN_MAX; len > 0 && ((unsigned char)data[len] & 0xc0) == 0x80; len--)
		continue;
	return len;
}

static void
show_string(struct text *shown, const char *data, size_t len)
{
	size_t part = shown_len(data, len);

	text_add_json_bytes(shown, data, part);
	if (part < len)
		text_add_string(shown, "...");
}

static void
show_value(struct text *shown, struct json_object *value)
{
	size_t len = 0, part;

	if (json_object_is_type(value, json_type_string)) {
		show_string(shown, json_object_get_string(value), (size_t)json_object_get_string_len(value));
	} else if (json_object_is_type(value, json_type_array)) {
		text_add_string(shown, "an array");
	} else if (json_object_is_type(value, json_type_object)) {
		text_add_string(shown, "an object");
	} else {
		const char *data = json_object_to_json_string_length(value, JSON_C_TO_STRING_PLAIN, &len);
		part = shown_len(data, len);
		text_add(shown, data, part);
		if (part < len)
			text_add_string(shown, "...");
	}
}

void
mistakes_add_value(struct mistakes *mistakes, struct json_object *value, const char *format, ...)
{
	struct text shown = {0};
	va_list args;

	show_value(&shown, value);
	va_start(args, format);
	add(mistakes, &shown, format, args);
	va_end(args);
	text_fini(&shown);
}

void
mistakes_add_string(struct mistakes *mistakes, const char *string, const char *format, ...)
{
	struct text shown = {0};
	va_list args;

	show_string(&shown, string, strlen(string));
	va_start(args, format);
	add(mistakes, &shown, format, args);
	va_end(args);
	text_fini(&shown);
}

/* Whether the line was added before. */
static bool
is_added(const struct mistakes *mistakes, const char *line)
{
	size_t len = strlen(line);

	for (const char *at = mistakes->lines.data; at && *at; at = strchr(at, '\n') + 1)
		if (strncmp(at, line, len) == 0 && at[len] == '\n')
			return true;
	return false;
}

void
mistakes_add_json(struct mistakes *mistakes, const char *file, const struct json_mistake *mistake)
{
	CLEANUP_FREE char *line =
		xasprintf("%s:%zu:%zu: %s", file, mistake->line, mistake->column, mistake->reason);

	if (!is_added(mistakes, line))
		add_line(mistakes, line);
}

void
mistakes_fini(struct mistakes *mistakes)
{
	text_fini(&mistakes->pointer);
	text_fini(&mistakes->lines);
	text_fini(&mistakes->warnings);
}
