/* The status document. */
#include "operations/document.h"

#include "common/clock.h"
#include "common/text.h"
#include "operations/private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How far the queue is looked through for a place in it. */
#define POSITION_MAX 1000

static void
add_name(struct text *json, const char *name)
{
	text_addf(json, ",\"%s\":", name);
}

static void
add_string(struct text *json, const char *name, const char *value)
{
	add_name(json, name);
	text_add_json(json, value);
}

static void
add_date(struct text *json, const char *name, int64_t wall_ms)
{
	char date[CLOCK_ISO8601_SIZE];

	if (wall_ms)
		clock_format_iso8601(wall_ms, date);
	add_string(json, name, wall_ms ? date : NULL);
}

static void
add_number(struct text *json, const char *name, bool is_known, unsigned value)
{
	add_name(json, name);
	if (is_known)
		text_add_uint(json, value);
	else
		text_add_string(json, "null");
}

static void
add_progress(struct text *json, const struct op *op)
{
	char said[201];
	int percent = op_progress(op, said, sizeof said);

	add_number(json, "progress", op->state == OP_RUNNING || op->state == OP_SUCCEEDED, (unsigned)percent);
	add_string(json, "message", said[0] ? said : NULL);
}

/* The place of op in its route's queue, from 1; 0: it does not wait there, or is too far back. */
static unsigned
queue_position(const struct op *op)
{
	const struct list *queue = &op->route->load->queued;
	unsigned place = 1;

	if (op->state != OP_QUEUED || !op->run || op->run->phase != PHASE_WAITING)
		return 0;
	for (const struct list *node = queue->next; node != queue && place <= POSITION_MAX;
		node = node->next, place++)
		if (container_of((struct list *)(uintptr_t)node, struct op_run, link) == op->run)
			return place;
	return 0;
}

/* When the result expires, by the wall clock; 0: it has not ended, or has expired. */
static int64_t
expires_ms(const struct op *op)
{
	if (!op_has_ended(op) || op->state == OP_EXPIRED || !timer_is_running(&op->timer))
		return 0;
	return clock_wall_ms() + op->timer.at_ms - clock_mono_ms();
}

/* Adds why op did not succeed, as a problem. */
static void
add_error(struct text *json, const struct op *op)
{
	char *name = op_dup_problem(op), *detail = op_dup_detail(op);
	char type[64] = "about:blank";

	add_name(json, "error");
	if (!op_has_ended(op) || op->state == OP_SUCCEEDED || op->state == OP_EXPIRED) {
		text_add_string(json, "null");
	} else {
		if (name && strlen(name) < sizeof type - 16)
			snprintf(type, sizeof type, "/problems/%s", name);
		text_addf(json, "{\"type\":\"%s\",\"status\":%d", type, op->status);
		if (detail)
			add_string(json, "detail", detail);
		text_add_char(json, '}');
	}
	free(name);
	free(detail);
}

static void
add_links(struct text *json, const struct op *op, const char *base, const char *id)
{
	char *url = xasprintf("%s/operations/%s", base, id), *self = xasprintf("%s/status", url);

	add_name(json, "links");
	text_add_string(json, "{\"self\":");
	text_add_json(json, self);
	add_string(json, "result", op->state == OP_EXPIRED ? NULL : url);
	add_string(json, "events", NULL);
	add_string(json, "output", NULL);
	add_string(json, "cancel", op_has_ended(op) ? NULL : url);
	text_add_char(json, '}');
	free(url);
	free(self);
}

void
op_document_add(struct text *json, const struct op *op, const char *base)
{
	unsigned place = queue_position(op);
	char id[ID_TEXT_SIZE];

	id_format(&op->id, id);
	text_addf(json, "{\"id\":\"%s\"", id);
	add_string(json, "route", op->route->key);
	add_string(json, "style", op->style[0] ? op->style : "sync");
	add_string(json, "state", op_state_name((enum op_state)op->state));
	add_number(json, "status", op_has_ended(op), (unsigned)op->status);
	add_progress(json, op);
	add_number(json, "queue_position", place > 0, place);
	add_number(json, "attempt", true, op->started_ms ? 1 : 0);
	add_date(json, "accepted_at", op->accepted_ms);
	add_date(json, "started_at", op->started_ms);
	add_date(json, "ended_at", op_has_ended(op) ? op->ended_ms : 0);
	add_date(json, "expires_at", expires_ms(op));
	add_error(json, op);
	add_links(json, op, base, id);
	text_add_char(json, '}');
}
