/* A single operation: its states, its watchers, its memory. */
#include "operations/op.h"

#include "common/clock.h"
#include "common/http/media_type.h"
#include "common/json/json.h"
#include "common/text.h"
#include "operations/idempotency.h"
#include "operations/private.h"
#include "store/resources.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The longest body or final response that is looked into on the loop. */
#define JSON_READ_BYTES (16 * 1024)

static const char *const names[OP_STATE_COUNT] = {
	[OP_ACCEPTING] = "accepting",
	[OP_QUEUED] = "queued",
	[OP_RUNNING] = "running",
	[OP_SUCCEEDED] = "succeeded",
	[OP_FAILED] = "failed",
	[OP_TIMED_OUT] = "timed_out",
	[OP_CANCELLED] = "cancelled",
	[OP_EXPIRED] = "expired",
};

#define ENDS (1 << OP_SUCCEEDED | 1 << OP_FAILED | 1 << OP_CANCELLED | 1 << OP_TIMED_OUT)

/* Which states may follow which: a row is "from", a set bit is "to". */
static const uint8_t next_states[OP_STATE_COUNT] = {
	[OP_ACCEPTING] = 1 << OP_QUEUED,
	[OP_QUEUED] = 1 << OP_RUNNING | ENDS,
	[OP_RUNNING] = ENDS,
	[OP_SUCCEEDED] = 1 << OP_EXPIRED,
	[OP_FAILED] = 1 << OP_EXPIRED,
	[OP_TIMED_OUT] = 1 << OP_EXPIRED,
	[OP_CANCELLED] = 1 << OP_EXPIRED,
};

const char *
op_state_name(enum op_state state)
{
	return names[state];
}

enum op_state
op_state_find(const char *name)
{
	for (int i = 0; i < OP_STATE_COUNT; i++)
		if (strcmp(names[i], name) == 0)
			return (enum op_state)i;
	return OP_STATE_COUNT;
}

void
op_set_state(struct op *op, enum op_state state)
{
	assert(next_states[op->state] & 1 << state);
	op->state = (uint8_t)state;
}

const char *
op_route_key(const struct op *op)
{
	return op->route->key;
}

struct op *
op_new(struct op_route *route)
{
	struct op *op = xcalloc(1, sizeof *op);

	op->route = op_route_ref(route);
	op->style = "";
	op->state = OP_ACCEPTING;
	op->accepted_ms = clock_wall_ms();
	timer_init(&op->timer, op_on_timer);
	list_init(&op->link);
	return op;
}

void
op_free(struct op *op)
{
	timer_stop(&op->timer);
	op_key_remove(op);
	op->route->operations->retained_bytes -= blob_len(op->body);
	op_route_unref(op->route);
	free(op->principal);
	fields_fini(&op->fields);
	blob_unref(op->body);
	free(op->detail);
	free(op);
}

char *
op_dup_body_member(const struct op *op, const char *name)
{
	const struct blob *body = op->run && op->run->input ? op->run->input->body : NULL;
	struct json_object *value = NULL, *member;
	struct json_mistake mistake;
	char *copy = NULL;

	if (!body || blob_is_file(body) || blob_len(body) > JSON_READ_BYTES ||
		json_parse(blob_data(body), (size_t)blob_len(body), &value, &mistake) < 0)
		return NULL;
	if (json_object_is_type(value, json_type_object) && json_object_object_get_ex(value, name, &member))
		copy = xstrdup(json_object_to_json_string_ext(
			member, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(value);
	return copy;
}

bool
op_is_left(const struct op *op)
{
	return op->run && op->run->phase == PHASE_LEFT;
}

/* Whether the final response is a problem's document in memory. */
static bool
has_problem(const struct op *op)
{
	struct field type;

	return op->body && !blob_is_file(op->body) && fields_find(&op->fields, "Content-Type", &type) &&
	       text_equal_nocase(type.value, type.value_len, PROBLEM_CONTENT_TYPE);
}

/* Whether the final response is a JSON error of the work's own, small enough to be read on the loop. */
static bool
has_json_error(const struct op *op)
{
	return op->status >= 400 && op->body && !blob_is_file(op->body) &&
	       blob_len(op->body) <= JSON_READ_BYTES && media_type_is_json(&op->fields);
}

char *
op_dup_detail(const struct op *op)
{
	char *said = NULL;

	if (op->state != OP_SUCCEEDED && !(op->detail && has_problem(op)) && has_json_error(op))
		said = problem_dup_detail(blob_data(op->body), (size_t)blob_len(op->body));
	return said ? said : xstrdup(op->detail);
}

char *
op_dup_problem(const struct op *op)
{
	if (!has_json_error(op) || !has_problem(op))
		return NULL;
	return problem_dup_name(blob_data(op->body), (size_t)blob_len(op->body));
}

/* Drops the detail if the final response says the same. */
static void
drop_detail(struct op *op)
{
	if (!op->detail || !has_problem(op) ||
		!problem_says(blob_data(op->body), (size_t)blob_len(op->body), op->detail))
		return;
	free(op->detail);
	op->detail = NULL;
}

void
op_shelve(struct op *op)
{
	drop_detail(op);
	fields_trim(&op->fields);
}

const struct store_change *
op_change(const struct op *op)
{
	return op->run ? op->run->change : NULL;
}

const char *
op_accepted(const struct op *op)
{
	return op->run ? op->run->accepted : NULL;
}

void
op_watch(struct op *op, struct op_watcher *watcher, op_watcher_fn fn)
{
	assert(!op_has_ended(op));
	watcher->fn = fn;
	list_add_tail(&op->run->watchers, &watcher->link);
}

void
op_unwatch(struct op_watcher *watcher)
{
	if (watcher->link.next)
		list_remove(&watcher->link);
}

/* A watcher may watch again while it is called, this operation or another. */
void
op_notify(struct op *op, struct list *watchers)
{
	struct list told = LIST_INIT(told);

	list_splice(&told, watchers);
	while (!list_is_empty(&told)) {
		struct op_watcher *watcher = container_of(told.next, struct op_watcher, link);
		list_remove(&watcher->link);
		watcher->fn(watcher, op);
	}
}

void
op_await(struct op *op, struct op_acceptor *acceptor, op_acceptor_fn fn)
{
	assert(op->state == OP_ACCEPTING);
	acceptor->fn = fn;
	list_add_tail(&op->run->acceptors, &acceptor->link);
}

void
op_store_record(const struct op *op, struct store_operation *ret_record)
{
	*ret_record = (struct store_operation){
		.id = op->id,
		.sequence = op->sequence,
		.route = op->route->key,
		.style = op->style,
		.principal = op->principal,
		.accepted_ms = op->accepted_ms,
		.started_ms = op->started_ms,
		.ended_ms = op->ended_ms,
		.status = op->status,
		.fields = op->fields.wire,
		.fields_len = op->fields.len,
		.result = op->body,
		.detail = op->detail,
	};
	if (op->key) {
		ret_record->key = op->key->text;
		memcpy(ret_record->key_digest, op->key->digest, sizeof ret_record->key_digest);
	}
}
