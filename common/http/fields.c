/* Header fields as lines in one piece of memory. */
#include "common/http/fields.h"

#include "common/text.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Looks at every byte whatever the others are: then the compiler takes many at once. */
static bool
is_value(const char *value, size_t len)
{
	unsigned char wrong = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)value[i];
		wrong |= (unsigned char)((c < 0x20) & (c != '\t')) | (unsigned char)(c == 0x7f);
	}
	return wrong == 0;
}

static void
reserve(struct fields *fields, size_t len)
{
	if (fields->len + len <= fields->size)
		return;
	assert(fields->size > 0 || !fields->wire);
	size_t size = fields->size ? fields->size : 256;
	while (size < fields->len + len)
		size *= 2;
	char *wire = realloc(fields->wire, size);
	if (!wire)
		abort();
	fields->wire = wire;
	fields->size = size;
}

static void
append(struct fields *fields, const char *data, size_t len)
{
	if (len > 0)
		memcpy(fields->wire + fields->len, data, len);
	fields->len += len;
}

int
fields_add_bytes(
	struct fields *fields, const char *name, size_t name_len, const char *value, size_t value_len)
{
	if (!text_is_token(name, name_len) || !is_value(value, value_len))
		return -EINVAL;
	while (value_len > 0 && is_blank(value[0])) {
		value++;
		value_len--;
	}
	while (value_len > 0 && is_blank(value[value_len - 1]))
		value_len--;
	reserve(fields, name_len + value_len + 4);
	append(fields, name, name_len);
	append(fields, ": ", 2);
	append(fields, value, value_len);
	append(fields, "\r\n", 2);
	return 0;
}

int
fields_add(struct fields *fields, const char *name, const char *value)
{
	return fields_add_bytes(fields, name, strlen(name), value, strlen(value));
}

void
fields_put(struct fields *fields, const char *name, const char *value)
{
	int rc = fields_add(fields, name, value);

	assert(rc == 0);
}

void
fields_putf(struct fields *fields, const char *name, const char *format, ...)
{
	va_list args;

	reserve(fields, strlen(name) + 2);
	struct text wire = {fields->wire, fields->len, fields->size};
	text_add_string(&wire, name);
	text_add(&wire, ": ", 2);
	size_t value = wire.len;
	va_start(args, format);
	text_addv(&wire, format, args);
	va_end(args);
	assert(text_is_token(name, strlen(name)) && is_value(wire.data + value, wire.len - value));
	text_add(&wire, "\r\n", 2);
	*fields = (struct fields){.wire = wire.data, .len = wire.len, .size = wire.size};
}

bool
fields_next(const struct fields *fields, struct field *field)
{
	if (fields->len == 0)
		return false;
	const char *end = fields->wire + fields->len;
	const char *line = field->name ? field->value + field->value_len + 2 : fields->wire;
	if (line >= end)
		return false;
	const char *colon = memchr(line, ':', (size_t)(end - line));
	const char *value = colon + 2;
	const char *newline = memchr(value, '\r', (size_t)(end - value));
	field->name = line;
	field->name_len = (size_t)(colon - line);
	field->value = value;
	field->value_len = (size_t)(newline - value);
	return true;
}

bool
fields_find(const struct fields *fields, const char *name, struct field *ret_field)
{
	fields_for_each(field, fields) {
		if (text_equal_nocase(field.name, field.name_len, name)) {
			*ret_field = field;
			return true;
		}
	}
	return false;
}

char *
fields_dup_value(const struct fields *fields, const char *name)
{
	struct field field;

	return fields_find(fields, name, &field) ? xstrndup(field.value, field.value_len) : NULL;
}

bool
field_is_one_of(const struct field *field, const struct field_name *names, size_t count)
{
	/* Letters differ from themselves in the other case by one bit; others that do are told apart
	 * below. */
	const unsigned char either_case = 0x20;

	for (size_t i = 0; i < count; i++)
		if (names[i].len == field->name_len &&
			((unsigned char)(names[i].text[0] ^ field->name[0]) & ~either_case) == 0 &&
			strncasecmp(names[i].text, field->name, names[i].len) == 0)
			return true;
	return false;
}

/* Removes lines by moving whole stretches of the lines that stay. */
void
fields_remove_if(struct fields *fields, bool (*is_unwanted)(const struct field *field, const void *arg),
	const void *arg)
{
	size_t kept = 0, from = 0;

	fields_for_each(field, fields) {
		if (!is_unwanted(&field, arg))
			continue;
		size_t line = (size_t)(field.name - fields->wire);
		memmove(fields->wire + kept, fields->wire + from, line - from);
		kept += line - from;
		from = line + field.name_len + 2 + field.value_len + 2;
	}
	if (from == 0)
		return;
	memmove(fields->wire + kept, fields->wire + from, fields->len - from);
	fields->len = kept + fields->len - from;
}

static bool
is_named(const struct field *field, const void *arg)
{
	return field_is_one_of(field, arg, 1);
}

void
fields_remove(struct fields *fields, const char *name)
{
	struct field_name wanted = {name, strlen(name)};

	fields_remove_if(fields, is_named, &wanted);
}

void
fields_copy(struct fields *ret_to, const struct fields *from)
{
	struct fields to = {0};

	if (from->len > 0) {
		reserve(&to, from->len);
		append(&to, from->wire, from->len);
	}
	*ret_to = to;
}

/* One line of wire text: its length with CRLF, 0 if it is no line as fields_add_bytes writes it. */
static size_t
check_line(const char *line, size_t len)
{
	const char *newline = memchr(line, '\r', len);
	const char *colon = memchr(line, ':', len);

	if (!newline || !colon || colon > newline || newline + 2 > line + len || newline[1] != '\n')
		return 0;
	if (colon[1] != ' ' || colon + 2 > newline)
		return 0;
	if (!text_is_token(line, (size_t)(colon - line)) ||
		!is_value(colon + 2, (size_t)(newline - colon - 2)))
		return 0;
	return (size_t)(newline + 2 - line);
}

int
fields_from_wire(struct fields *ret_fields, const char *wire, size_t len)
{
	for (size_t at = 0; at < len;) {
		size_t step = check_line(wire + at, len - at);
		if (step == 0)
			return -EINVAL;
		at += step;
	}
	struct fields from = {.wire = (char *)(uintptr_t)wire, .len = len};
	fields_copy(ret_fields, &from);
	return 0;
}

void
fields_trim(struct fields *fields)
{
	char *wire = fields->len > 0 ? realloc(fields->wire, fields->len) : NULL;

	if (!wire)
		return;
	fields->wire = wire;
	fields->size = fields->len;
}

void
fields_fini(struct fields *fields)
{
	if (fields->size > 0)
		free(fields->wire);
	*fields = (struct fields){0};
}
