/* The answer of an upstream. */
#include "work/upstream/response.h"

#include "common/cleanup.h"
#include "work/upstream/coding.h"
#include "work/upstream/hop_fields.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Fields that the reply sets itself, and fields that hold only for the upstream's own address. */
static const struct field_name not_passed[] = {
	FIELD_NAME("Content-Length"), FIELD_NAME("Date"), FIELD_NAME("Alt-Svc")};

static const struct field_name content_length = FIELD_NAME("Content-Length");

/* Fields that describe the coded bytes. */
static const struct field_name of_coding[] = {FIELD_NAME("Content-Encoding"), FIELD_NAME("Content-Length"),
	FIELD_NAME("Content-Digest"), FIELD_NAME("Content-MD5")};

static const struct field_name references[] = {FIELD_NAME("Location"), FIELD_NAME("Content-Location")};

static const struct field_name link_name = FIELD_NAME("Link");

#define REFERENCE_COUNT (sizeof references / sizeof *references)

void
upstream_response_init(struct upstream_response *response, int spool_fd, uint64_t max_bytes, bool decodes)
{
	*response = (struct upstream_response){.decodes = decodes};
	blob_sink_init(&response->sink, spool_fd, max_bytes);
}

void
upstream_response_fini(struct upstream_response *response)
{
	fields_fini(&response->fields);
	coding_free(response->coding);
	response->coding = NULL;
	blob_sink_fini(&response->sink);
}

/* "HTTP/1.1 200 OK", "HTTP/2 200". */
static int
take_status(struct upstream_response *response, const char *line, size_t len)
{
	const char *space = memchr(line, ' ', len);
	uint64_t status;

	if (!space || (size_t)(line + len - space) < 4 || text_parse_uint(space + 1, 3, 999, &status) < 0 ||
		status < 100 || status > 599)
		return -EBADMSG;
	if ((size_t)(line + len - space) > 4 && space[4] != ' ')
		return -EBADMSG;
	fields_fini(&response->fields);
	response->head_bytes = 0;
	response->field_count = 0;
	response->status = (int)status;
	return 0;
}

static int
take_field(struct upstream_response *response, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);

	if (!colon || response->status == 0 || ++response->field_count > FIELDS_OF_RESULT_MAX)
		return -EBADMSG;
	size_t name_len = (size_t)(colon - line);
	int rc = fields_add_bytes(&response->fields, line, name_len, colon + 1, len - name_len - 1);
	return rc < 0 ? -EBADMSG : 0;
}

/* Lengths that contradict one another frame nothing (RFC 9112, 6.3), and one beyond the limit need not be
 * waited for. */
static int
check_lengths(const struct upstream_response *response, bool is_head_request)
{
	uint64_t length, first = 0;
	bool has_first = false;

	fields_for_each(field, &response->fields) {
		if (!field_is_one_of(&field, &content_length, 1))
			continue;
		if (text_parse_uint(field.value, field.value_len, UINT64_MAX, &length) < 0 ||
			(has_first && length != first))
			return -EBADMSG;
		has_first = true;
		first = length;
	}
	bool has_body = !is_head_request && response->status != 204 && response->status != 304;
	return has_body && first > response->sink.max_bytes ? -EFBIG : 0;
}

static bool
is_of_coding(const struct field *field, const void *arg)
{
	return field_is_one_of(field, of_coding, sizeof of_coding / sizeof *of_coding);
}

/* The coding of the body, if it can be undone; NULL: there is none, or it stays. */
static struct coding *
find_coding(const struct fields *fields)
{
	const char *name = NULL;
	size_t len = 0, count = 0;

	fields_for_each(field, fields) {
		if (!field_is_one_of(&field, of_coding, 1))
			continue;
		name = field.value;
		len = field.value_len;
		count++;
	}
	return count == 1 ? coding_new(name, len) : NULL;
}

/* Takes the fields of a coding off a header whose body is decoded, and makes the entity tag a weak one: it was that of the
 * coded bytes. */
static void
take_coding_off(struct upstream_response *response)
{
	response->coding = find_coding(&response->fields);
	if (!response->coding)
		return;
	fields_remove_if(&response->fields, is_of_coding, NULL);
	CLEANUP_FREE char *tag = fields_dup_value(&response->fields, "ETag");
	if (tag && tag[0] == '"') {
		fields_remove(&response->fields, "ETag");
		fields_putf(&response->fields, "ETag", "W/%s", tag);
	}
}

static int
end_head(struct upstream_response *response, bool is_head_request)
{
	if (response->status == 0 || response->status == 101)
		return -EBADMSG;
	if (response->status < 200)
		return 0;
	response->is_head_done = true;
	int rc = check_lengths(response, is_head_request);
	if (rc == 0 && response->decodes && !is_head_request)
		take_coding_off(response);
	return rc;
}

static size_t
trim_line_end(const char *line, size_t len)
{
	if (len > 0 && line[len - 1] == '\n')
		len--;
	if (len > 0 && line[len - 1] == '\r')
		len--;
	return len;
}

int
upstream_response_take_line(
	struct upstream_response *response, const char *line, size_t len, bool is_head_request)
{
	int rc;

	if (response->error < 0 || response->is_head_done)
		return response->error;
	response->head_bytes += len;
	len = trim_line_end(line, len);
	if (response->head_bytes > UPSTREAM_HEADER_MAX)
		rc = -EBADMSG;
	else if (len == 0)
		rc = end_head(response, is_head_request);
	else if (len >= 5 && memcmp(line, "HTTP/", 5) == 0)
		rc = take_status(response, line, len);
	else
		rc = take_field(response, line, len);
	response->error = rc;
	return rc;
}

int
upstream_response_take_body(struct upstream_response *response, const char *data, size_t len)
{
	if (response->error == 0 && response->coding)
		response->error = coding_write(response->coding, data, len, &response->sink);
	else if (response->error == 0)
		response->error = blob_sink_write(&response->sink, data, len);
	return response->error;
}

/* Replaces a field that names something of the upstream's by one that names the same of ours. */
static void
map_reference(const char *name, const struct upstream_target *target, const struct work_input *input,
	struct fields *fields)
{
	CLEANUP_FREE char *theirs = fields_dup_value(fields, name);
	CLEANUP_FREE char *ours = theirs ? upstream_target_map_back(target, input, theirs) : NULL;

	if (!ours)
		return;
	fields_remove(fields, name);
	/* A resolved and decoded value may no longer be a valid field value: then the field is dropped. */
	int rc = fields_add(fields, name, ours);
	(void)rc;
}

/* Adds a value of Link (RFC 8288) with each <reference> that is under the upstream's URL mapped to ours. */
static void
add_links(const struct field *field, const struct upstream_target *target, const struct work_input *input,
	struct text *ret_text)
{
	const char *at = field->value, *end = at + field->value_len;
	bool in_quotes = false;

	for (; at < end; at++) {
		const char *close = *at == '<' && !in_quotes ? memchr(at, '>', (size_t)(end - at)) : NULL;
		if (*at == '"' && (at == field->value || at[-1] != '\\'))
			in_quotes = !in_quotes;
		text_add_char(ret_text, *at);
		if (!close)
			continue;
		CLEANUP_FREE char *theirs = xstrndup(at + 1, (size_t)(close - at - 1));
		CLEANUP_FREE char *ours = upstream_target_map_back(target, input, theirs);
		text_add_string(ret_text, ours ? ours : theirs);
		at = close - 1;
	}
}

/* Replaces all Link fields by one. */
static void
map_links(const struct upstream_target *target, const struct work_input *input, struct fields *fields)
{
	CLEANUP(text_fini) struct text links = {0};

	fields_for_each(field, fields) {
		if (!field_is_one_of(&field, &link_name, 1))
			continue;
		if (links.len > 0)
			text_add_string(&links, ", ");
		add_links(&field, target, input, &links);
	}
	if (links.len == 0)
		return;
	fields_remove(fields, link_name.text);
	/* As in map_reference. */
	int rc = fields_add(fields, link_name.text, links.data);
	(void)rc;
}

static bool
has_references(const struct fields *fields)
{
	fields_for_each(field, fields)
		if (field_is_one_of(&field, references, REFERENCE_COUNT))
			return true;
	return false;
}

static bool
is_not_passed(const struct field *field, const void *arg)
{
	return field_is_one_of(field, not_passed, sizeof not_passed / sizeof *not_passed);
}

/* What HEAD asks for has no body from which the reply could tell the length. */
static bool
is_head(const struct work_input *input)
{
	return input->method && strcmp(input->method, "HEAD") == 0;
}

static void
map_fields(struct fields *fields, const struct upstream_target *target, const struct work_input *input)
{
	CLEANUP_FREE char *length = is_head(input) ? fields_dup_value(fields, content_length.text) : NULL;

	hop_fields_remove(fields, is_not_passed, NULL);
	if (length)
		fields_put(fields, content_length.text, length);
	for (size_t i = 0; i < REFERENCE_COUNT && has_references(fields); i++)
		map_reference(references[i].text, target, input, fields);
	map_links(target, input, fields);
}

int
upstream_response_finish(struct upstream_response *response, const struct upstream_target *target,
	const struct work_input *input, struct work_result *ret_result)
{
	struct blob *body = NULL;

	if (!response->is_head_done || (response->coding && !coding_is_complete(response->coding)))
		return -EBADMSG;
	if (response->sink.len > 0) {
		int rc = blob_sink_finish(&response->sink, &body);
		if (rc < 0)
			return rc;
	}
	map_fields(&response->fields, target, input);
	ret_result->status = response->status;
	ret_result->fields = response->fields;
	ret_result->body = body;
	response->fields = (struct fields){0};
	return 0;
}
