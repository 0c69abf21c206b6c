/*
 * The input of a call, and its text form for the store.
 *
 * The text is a line that names the format and its version, then items in a fixed order: "LENGTH:BYTES\n", or
 * "-\n" for NULL.  Lengths rather than JSON, because parameters are bytes and need not be UTF-8.
 */
#include "work/input.h"

#include "common/blob.h"
#include "common/text.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT_LINE "deferd-input 1\n"

/* Follow where the request was of HTTP/1.0, and where the port of the server's socket is known. */
#define OLD_LINE "http/1.0\n"
#define PORT_WORD "port "

/* Follows where the body was still to be judged. */
#define UNJUDGED_LINE "unjudged\n"

/* A usual length of the text of an input without its header fields. */
#define USUAL_BYTES 384

/* The length of the shortest item, "-\n".  It bounds a count before memory is allocated for it. */
#define ITEM_MIN 2

/* The strings of an input, in the order of the text. */
static const struct {
	size_t offset;
	bool may_be_null;
} strings[] = {
	{offsetof(struct work_input, method), false},
	{offsetof(struct work_input, path), false},
	{offsetof(struct work_input, query), true},
	{offsetof(struct work_input, route), false},
	{offsetof(struct work_input, principal), true},
	{offsetof(struct work_input, remote_address), false},
	{offsetof(struct work_input, scheme), false},
	{offsetof(struct work_input, authority), false},
	{offsetof(struct work_input, base), false},
};

#define STRING_COUNT (sizeof strings / sizeof *strings)

static char **
string_at(const struct work_input *input, size_t i)
{
	return (char **)(void *)((char *)(uintptr_t)input + strings[i].offset);
}

struct work_input *
work_input_new(void)
{
	return xcalloc(1, sizeof(struct work_input));
}

void
work_input_free(struct work_input *input)
{
	if (!input)
		return;
	for (size_t i = 0; i < STRING_COUNT && !input->strings; i++)
		free(*string_at(input, i));
	free(input->strings);
	for (size_t i = 0; i < input->param_count; i++) {
		free(input->params[i].name);
		free(input->params[i].value);
	}
	free(input->params);
	fields_fini(&input->fields);
	blob_unref(input->body);
	free(input);
}

void
work_input_copy_strings(struct work_input *input, const struct work_input *from)
{
	size_t sizes[STRING_COUNT], all = 0;

	for (size_t i = 0; i < STRING_COUNT; i++) {
		const char *string = *string_at(from, i);
		sizes[i] = string ? strlen(string) + 1 : 0;
		all += sizes[i];
	}
	assert(!input->strings);
	char *at = input->strings = xcalloc(all + 1, 1);
	for (size_t i = 0; i < STRING_COUNT; at += sizes[i++])
		if (sizes[i] > 0)
			*string_at(input, i) = memcpy(at, *string_at(from, i), sizes[i]);
}

/* Takes name and value. */
static void
take_param(struct work_input *input, char *name, char *value)
{
	size_t size = (input->param_count + 1) * sizeof *input->params;
	struct work_param *params = realloc(input->params, size);

	if (!params)
		abort();
	input->params = params;
	params[input->param_count++] = (struct work_param){name, value};
}

void
work_input_add_param(struct work_input *input, const char *name, const char *value)
{
	take_param(input, xstrdup(name), xstrdup(value));
}

const char *
work_input_param(const struct work_input *input, const char *name)
{
	for (size_t i = 0; i < input->param_count; i++)
		if (strcmp(input->params[i].name, name) == 0)
			return input->params[i].value;
	return NULL;
}

static void
add_item(struct text *text, const char *data, size_t len)
{
	text_add_uint(text, len);
	text_add_char(text, ':');
	text_add(text, data, len);
	text_add_char(text, '\n');
}

void
work_input_format(const struct work_input *input, struct text *ret_text)
{
	char id[ID_TEXT_SIZE];

	id_format(&input->id, id);
	text_reserve(ret_text, input->fields.len + USUAL_BYTES);
	text_add_string(ret_text, FORMAT_LINE);
	add_item(ret_text, id, strlen(id));
	for (size_t i = 0; i < STRING_COUNT; i++) {
		const char *string = *string_at(input, i);
		if (string || !strings[i].may_be_null)
			add_item(ret_text, string ? string : "", string ? strlen(string) : 0);
		else
			text_add_string(ret_text, "-\n");
	}
	add_item(ret_text, input->fields.wire, input->fields.len);
	text_add_uint(ret_text, input->param_count);
	text_add_char(ret_text, '\n');
	for (size_t i = 0; i < input->param_count; i++) {
		add_item(ret_text, input->params[i].name, strlen(input->params[i].name));
		add_item(ret_text, input->params[i].value, strlen(input->params[i].value));
	}
	if (input->is_http_1_0)
		text_add_string(ret_text, OLD_LINE);
	if (input->port)
		text_addf(ret_text, PORT_WORD "%u\n", input->port);
	if (input->unjudged)
		text_add_string(ret_text, UNJUDGED_LINE);
}

/* The rest of the text that is being read; ok is false after the first mistake, and then nothing more is read. */
struct reader {
	const char *at;
	const char *end;
	bool ok;
};

/* Reads a decimal number and the character that ends it. */
static uint64_t
read_number(struct reader *reader, char end, uint64_t max)
{
	const char *stop = memchr(reader->at, end, (size_t)(reader->end - reader->at));
	uint64_t value = 0;

	if (!stop || text_parse_uint(reader->at, (size_t)(stop - reader->at), max, &value) < 0) {
		reader->ok = false;
		return 0;
	}
	reader->at = stop + 1;
	return value;
}

/* Answers where the bytes of an item are, NULL for "-" (with ok) or for a mistake (without). */
static const char *
read_item(struct reader *reader, size_t *ret_len)
{
	size_t left = (size_t)(reader->end - reader->at);

	if (!reader->ok)
		return NULL;
	if (left >= 2 && memcmp(reader->at, "-\n", 2) == 0) {
		reader->at += 2;
		return NULL;
	}
	size_t len = (size_t)read_number(reader, ':', left);
	const char *data = reader->at;
	if (!reader->ok || (size_t)(reader->end - data) <= len || data[len] != '\n') {
		reader->ok = false;
		return NULL;
	}
	reader->at += len + 1;
	*ret_len = len;
	return data;
}

/* Reads an item as a string, the caller's. */
static char *
read_string(struct reader *reader, bool may_be_null)
{
	size_t len;
	const char *data = read_item(reader, &len);

	if (!data) {
		reader->ok = reader->ok && may_be_null;
		return NULL;
	}
	if (memchr(data, '\0', len)) {
		reader->ok = false;
		return NULL;
	}
	return xstrndup(data, len);
}

static void
read_id(struct reader *reader, struct id *ret_id)
{
	size_t len;
	const char *data = read_item(reader, &len);

	if (!data || id_parse(data, len, ret_id) < 0)
		reader->ok = false;
}

static void
read_fields(struct reader *reader, struct fields *ret_fields)
{
	size_t len;
	const char *data = read_item(reader, &len);

	if (!data || fields_from_wire(ret_fields, data, len) < 0)
		reader->ok = false;
}

static void
read_params(struct reader *reader, struct work_input *input)
{
	size_t left = (size_t)(reader->end - reader->at);
	uint64_t count = reader->ok ? read_number(reader, '\n', left / (2 * ITEM_MIN)) : 0;

	for (uint64_t i = 0; i < count && reader->ok; i++) {
		char *name = read_string(reader, false);
		char *value = read_string(reader, false);
		if (reader->ok) {
			take_param(input, name, value);
		} else {
			free(name);
			free(value);
		}
	}
}

/* Whether the line comes next; then it is read. */
static bool
read_line(struct reader *reader, const char *line)
{
	size_t len = strlen(line);

	if ((size_t)(reader->end - reader->at) < len || memcmp(reader->at, line, len) != 0)
		return false;
	reader->at += len;
	return true;
}

int
work_input_parse(const char *data, size_t len, struct work_input **ret_input)
{
	struct reader reader = {data, data + len, true};
	struct work_input *input = work_input_new();

	reader.ok = read_line(&reader, FORMAT_LINE);
	read_id(&reader, &input->id);
	for (size_t i = 0; i < STRING_COUNT; i++)
		*string_at(input, i) = read_string(&reader, strings[i].may_be_null);
	read_fields(&reader, &input->fields);
	read_params(&reader, input);
	input->is_http_1_0 = reader.ok && read_line(&reader, OLD_LINE);
	if (reader.ok && read_line(&reader, PORT_WORD))
		input->port = (unsigned)read_number(&reader, '\n', UINT16_MAX);
	input->unjudged = reader.ok && read_line(&reader, UNJUDGED_LINE);
	if (!reader.ok || reader.at != reader.end || !text_is_token(input->method, strlen(input->method))) {
		work_input_free(input);
		return -EINVAL;
	}
	*ret_input = input;
	return 0;
}
