/* The status document. */
#include "calls/monitor/status_document.h"

#include "calls/call/answer.h"
#include "common/cleanup.h"

#include <stdlib.h>

static void
add_date(struct text *json, const char *name, int64_t wall_ms)
{
	if (wall_ms)
		answer_add_date(json, name, wall_ms);
	else
		answer_add_member(json, name, NULL);
}

static void
add_progress(struct text *json, const struct op *op)
{
	char said[201];
	int percent = op_progress(op, said, sizeof said);

	text_addf(json, ",\"progress\":%d", percent);
	answer_add_member(json, "message", said[0] ? said : NULL);
}

static void
add_links(struct text *json, const struct http_request *request, const char *id)
{
	CLEANUP_FREE char *base = http_request_base(request);
	CLEANUP_FREE char *url = xasprintf("%s/operations/%s", base, id);

	text_add_string(json, ",\"links\":{\"self\":");
	text_add_json(json, url);
	answer_add_member(json, "result", url);
	answer_add_member(json, "cancel", url);
	text_add_char(json, '}');
}

void
status_document_add(struct text *json, const struct http_request *request, const struct op *op)
{
	char id[ID_TEXT_SIZE];

	id_format(&op->id, id);
	text_addf(json, "{\"id\":\"%s\"", id);
	answer_add_member(json, "route", op_route_key(op));
	answer_add_member(json, "style", op->style);
	answer_add_member(json, "state", op_state_name(op->state));
	if (op_has_ended(op))
		text_addf(json, ",\"status\":%d", op->status);
	else
		text_add_string(json, ",\"status\":null");
	add_progress(json, op);
	answer_add_date(json, "accepted_at", op->accepted_ms);
	add_date(json, "started_at", op->started_ms);
	add_date(json, "ended_at", op_has_ended(op) ? op->ended_ms : 0);
	add_links(json, request, id);
	text_add_char(json, '}');
}
