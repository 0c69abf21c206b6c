/* Pieces that the answers of several styles are made of. */
#include "calls/call/answer.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/http/media_type.h"
#include "common/log.h"
#include "http/message/head.h"
#include "http/message/reply.h"
#include "operations/document.h"
#include "operations/operations.h"

#include <stdlib.h>
#include <string.h>

/* The length of X-Progress's text. */
#define PROGRESS_TEXT_MAX 100

/* Every poll of an ended operation has it: printf would be a twentieth of the poll. */
static void
put_result_status(struct fields *fields, const struct op *op)
{
	const char digits[] = {(char)('0' + op->status / 100), (char)('0' + op->status / 10 % 10),
		(char)('0' + op->status % 10), '\0'};

	fields_put(fields, "AsyncResult", digits);
}

static void
put_retry_after(struct fields *fields, const struct op *op)
{
	fields_putf(fields, "Retry-After", "%u", op_has_ended(op) ? 1 : op_retry_after(op));
}

/* A program may say anything.  A field takes visible ASCII; other characters become question marks. */
static void
make_visible(char *text)
{
	size_t len = 0;

	for (const char *from = text; *from; from++)
		if (((unsigned char)*from & 0xc0) != 0x80)
			text[len++] = *from >= ' ' && *from <= '~' ? *from : '?';
	while (len > 0 && text[len - 1] == ' ')
		len--;
	text[len] = '\0';
}

static void
put_progress(struct fields *fields, const struct op *op)
{
	char text[PROGRESS_TEXT_MAX + 1];
	int percent = op_progress(op, text, sizeof text);

	make_visible(text);
	if (percent > 0 || text[0])
		fields_putf(fields, "X-Progress", "%d%%%s%s", percent, text[0] ? " " : "", text);
}

void
answer_put_poll(struct fields *fields, const struct op *op)
{
	fields_put(fields, "Cache-Control", "no-store");
	if (op_has_ended(op)) {
		put_result_status(fields, op);
		return;
	}
	put_retry_after(fields, op);
	if (op->state == OP_RUNNING)
		put_progress(fields, op);
}

void
answer_put_accepted(struct fields *fields, const struct http_request *request, const struct op *op)
{
	fields_put(fields, "Cache-Control", "no-store");
	put_retry_after(fields, op);
	answer_put_url(fields, "Content-Location", request, "/operations/", op, "");
}

void
answer_put_url(struct fields *fields, const char *name, const struct http_request *request, const char *path,
	const struct op *op, const char *after)
{
	CLEANUP_FREE char *base = http_request_base(request);
	char id[ID_TEXT_SIZE];

	id_format(&op->id, id);
	bool link = after[0] != '\0';
	fields_putf(fields, name, "%s%s%s%s%s", link ? "<" : "", base, path, id, after);
}

static void
reply_progress(struct http_request *request, struct op *op, struct fields *fields)
{
	static const char queued[] = "{\"progress\":\"IN_QUEUE\"}\n";
	static const char running[] = "{\"progress\":\"IN_PROGRESS\"}\n";
	const char *body = op->state == OP_QUEUED ? queued : running;

	answer_put_url(fields, "Location", request, "/operations/", op, "");
	fields_put(fields, "Content-Type", "application/json");
	reply_bytes(request, 202, fields, body, strlen(body));
}

void
answer_accepted(struct http_request *request, struct styles *styles, struct op *op, struct fields *fields)
{
	answer_put_accepted(fields, request, op);
	reply_progress(request, op, fields);
}

void
answer_pending(struct http_request *request, struct styles *styles, struct op *op, struct fields *fields)
{
	answer_put_poll(fields, op);
	answer_put_url(fields, "Content-Location", request, "/operations/", op, "");
	reply_progress(request, op, fields);
}

/* Fields of a final response that a monitor's answer has from us. */
static bool
is_of_monitor(const struct field *field, const void *arg)
{
	static const struct field_name names[] = {FIELD_NAME("Cache-Control"), FIELD_NAME("AsyncResult")};

	(void)arg;
	return field_is_one_of(field, names, sizeof names / sizeof *names);
}

static bool
has_any(const struct fields *fields, bool (*is_wanted)(const struct field *field, const void *arg))
{
	fields_for_each(field, fields)
		if (is_wanted(&field, NULL))
			return true;
	return false;
}

void
answer_final(struct http_request *request, const struct op *op, struct fields *fields, bool as_monitor)
{
	CLEANUP(fields_fini) struct fields others = {0};

	request->is_not_stored = as_monitor;
	if (as_monitor)
		put_result_status(fields, op);
	fields_for_each(field, fields) {
		int rc = fields_add_bytes(
			&request->extra, field.name, field.name_len, field.value, field.value_len);
		(void)rc; /* it was a field before */
	}
	if (!as_monitor || !has_any(&op->fields, is_of_monitor)) {
		reply_blob(request, op->status, &op->fields, op->body);
		return;
	}
	fields_copy(&others, &op->fields);
	fields_remove_if(&others, is_of_monitor, NULL);
	reply_blob(request, op->status, &others, op->body);
}

void
answer_add_date(struct text *json, const char *name, int64_t wall_ms)
{
	char date[CLOCK_ISO8601_SIZE];

	clock_format_iso8601(wall_ms, date);
	text_addf(json, ",\"%s\":\"%s\"", name, date);
}

void
answer_add_member(struct text *json, const char *name, const char *value)
{
	text_addf(json, ",\"%s\":", name);
	text_add_json(json, value);
}

void
answer_add_status(struct text *json, const struct http_request *request, const struct op *op)
{
	CLEANUP_FREE char *base = http_request_base(request);

	op_document_add(json, op, base);
}

void
answer_add_reason(struct text *json, const struct op *op)
{
	CLEANUP(text_fini) struct text sentence = {0};
	CLEANUP_FREE char *detail = op_dup_detail(op);

	if (detail)
		text_add_string(&sentence, detail);
	else
		text_addf(&sentence, "The operation ended with status %d (%s).", op->status,
			head_reason(op->status));
	text_add_json_bytes(json, sentence.data, sentence.len);
}

bool
answer_is_json(const struct op *op)
{
	return media_type_is_json(&op->fields);
}

void
answer_gone(struct http_request *request)
{
	request->on_gone = NULL;
	request->arg = NULL;
	reply_bytes(request, HTTP_CLIENT_LEFT, NULL, NULL, 0);
}

void
answer_expired(struct http_request *request, enum problem_dialect dialect, const struct op *op)
{
	struct problem_report report = {.problem = PROBLEM_EXPIRED,
		.detail = "The operation has ended and its result is no longer kept.",
		.operation_status = op->status,
		.dialect = dialect};

	reply_problem(request, &report, NULL);
}

void
answer_missing(struct http_request *request, const struct style *style, const struct op *op)
{
	enum problem_dialect dialect = style ? style->dialect : PROBLEM_PLAIN;

	if (style && style->reply_missing)
		style->reply_missing(request, op);
	else if (op)
		answer_expired(request, dialect, op);
	else
		answer_problem(
			request, dialect, PROBLEM_NOT_FOUND, 0, "There is no operation with this id.", NULL);
}

void
answer_problem(struct http_request *request, enum problem_dialect dialect, enum problem problem, int status,
	const char *detail, struct fields *fields)
{
	struct problem_report report = {.problem = problem,
		.status = status,
		.detail = detail,
		.dialect = dialect,
		.request_id = request->id};

	reply_problem(request, &report, fields);
}
