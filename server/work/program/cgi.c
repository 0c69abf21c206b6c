/* The head of a CGI response. */
#include "work/program/cgi.h"

#include "common/text.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

/* Fields that are meant for the server, and must not reach its client. */
static const char *const dropped[] = {
	"Connection",
	"Content-Length",
	"Date",
	"Keep-Alive",
	"Proxy-Connection",
	"Server",
	"TE",
	"Trailer",
	"Transfer-Encoding",
	"Upgrade",
};

struct head {
	struct fields fields;
	int status; /* 0: not said */
	unsigned count;
	bool has_location;
	bool has_content_type;
};

size_t
cgi_head_len(const char *data, size_t len, size_t from)
{
	for (size_t at = from; at < len; at++) {
		const char *newline = memchr(data + at, '\n', len - at);
		if (!newline)
			break;
		at = (size_t)(newline - data);
		size_t begin = at > 0 && data[at - 1] == '\r' ? at - 1 : at;
		if (begin == 0 || data[begin - 1] == '\n')
			return at + 1;
	}
	return 0;
}

/* "404" or "404 Not Found". */
static int
parse_status(const char *value, size_t len, int *ret_status)
{
	uint64_t status;

	if (len < 3 || (len > 3 && value[3] != ' ' && value[3] != '\t') ||
		text_parse_uint(value, 3, 599, &status) < 0 || status < 200)
		return -EINVAL;
	*ret_status = (int)status;
	return 0;
}

static bool
is_dropped(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof dropped / sizeof *dropped; i++)
		if (text_equal_nocase(name, len, dropped[i]))
			return true;
	return false;
}

static int
add_once(struct head *head, bool *has, const struct field *field)
{
	if (*has || field->value_len == 0)
		return -EINVAL;
	*has = true;
	return fields_add_bytes(&head->fields, field->name, field->name_len, field->value, field->value_len);
}

static void
strip(struct field *field)
{
	while (field->value_len > 0 && (*field->value == ' ' || *field->value == '\t')) {
		field->value++;
		field->value_len--;
	}
}

static int
add_line(struct head *head, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);

	if (!colon || ++head->count > FIELDS_OF_RESULT_MAX)
		return -EINVAL;
	struct field field = {line, (size_t)(colon - line), colon + 1, (size_t)(line + len - colon - 1)};
	strip(&field);
	if (text_equal_nocase(field.name, field.name_len, "Status"))
		return head->status ? -EINVAL : parse_status(field.value, field.value_len, &head->status);
	if (text_equal_nocase(field.name, field.name_len, "Location"))
		return add_once(head, &head->has_location, &field);
	if (text_equal_nocase(field.name, field.name_len, "Content-Type"))
		return add_once(head, &head->has_content_type, &field);
	if (is_dropped(field.name, field.name_len))
		return 0;
	return fields_add_bytes(&head->fields, field.name, field.name_len, field.value, field.value_len);
}

static int
add_lines(struct head *head, const char *data, size_t len)
{
	for (const char *line = data, *end = data + len; line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		if (!newline)
			return -EINVAL;
		size_t line_len = (size_t)(newline - line);
		if (line_len > 0 && line[line_len - 1] == '\r')
			line_len--;
		if (line_len == 0)
			return newline + 1 == end ? 0 : -EINVAL;
		if (add_line(head, line, line_len) < 0)
			return -EINVAL;
		line = newline + 1;
	}
	return -EINVAL;
}

int
cgi_parse_head(const char *data, size_t len, int *ret_status, struct fields *ret_fields)
{
	struct head head = {0};
	int rc = add_lines(&head, data, len);

	if (rc == 0 && !head.status && !head.has_location && !head.has_content_type)
		rc = -EINVAL;
	if (rc < 0) {
		fields_fini(&head.fields);
		return rc;
	}
	*ret_status = head.status ? head.status : head.has_location ? 302 : 200;
	*ret_fields = head.fields;
	return 0;
}
