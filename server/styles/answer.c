/* Pieces that the answers of several styles are made of. */
#include "styles/answer.h"

#include "common/cleanup.h"
#include "common/log.h"
#include "http/reply.h"
#include "operations/operations.h"

#include <stdlib.h>
#include <string.h>

void
answer_put_common(struct fields *fields, const struct op *op)
{
	fields_put(fields, "Cache-Control", "no-store");
	if (!op_has_ended(op))
		fields_putf(fields, "Retry-After", "%u", op_retry_after(op));
}

void
answer_put_accepted(struct fields *fields, const struct op *op)
{
	answer_put_common(fields, op);
	if (op_has_ended(op))
		fields_put(fields, "Retry-After", "1");
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

void
answer_pending(struct http_request *request, struct op *op, struct fields *fields)
{
	static const char queued[] = "{\"progress\":\"IN_QUEUE\"}";
	static const char running[] = "{\"progress\":\"IN_PROGRESS\"}";
	const char *body = op->state == OP_QUEUED ? queued : running;

	answer_put_accepted(fields, op);
	answer_put_url(fields, "Location", request, "/operations/", op, "");
	fields_put(fields, "Content-Type", "application/json");
	reply_bytes(request, 202, fields, body, strlen(body));
}

void
answer_final(struct http_request *request, const struct op *op, struct fields *fields, bool as_monitor)
{
	CLEANUP(fields_fini) struct fields others = {0};
	struct field cache_control;

	request->is_not_stored = as_monitor;
	fields_for_each(field, fields) {
		int rc = fields_add_bytes(
			&request->extra, field.name, field.name_len, field.value, field.value_len);
		(void)rc; /* it was a field before */
	}
	if (!as_monitor || !fields_find(&op->fields, "Cache-Control", &cache_control)) {
		reply_blob(request, op->status, &op->fields, op->body);
		return;
	}
	fields_copy(&others, &op->fields);
	fields_remove(&others, "Cache-Control");
	reply_blob(request, op->status, &others, op->body);
}

char *
answer_read_body(const struct op *op, size_t *ret_len)
{
	char *data = blob_dup(op->body, ret_len);

	if (*ret_len == blob_len(op->body))
		return data;
	log_error("result cannot be read", "id=%s", LOG_ID(&op->id));
	free(data);
	return NULL;
}

bool
answer_is_json(const struct op *op)
{
	struct field type;

	if (!fields_find(&op->fields, "Content-Type", &type))
		return false;
	size_t len = 0;
	while (len < type.value_len && !strchr("; \t", type.value[len]))
		len++;
	return text_equal_nocase(type.value, len, "application/json") ||
	       (len > 5 && text_equal_nocase(type.value + len - 5, 5, "+json"));
}

void
answer_gone(struct http_request *request)
{
	request->on_gone = NULL;
	request->arg = NULL;
	reply_bytes(request, 503, NULL, NULL, 0);
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
