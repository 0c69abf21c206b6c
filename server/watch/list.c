/* GET /operations: reads the query, then collects one page in short turns of the loop. */
#include "watch/list.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/loop/timer.h"
#include "http/message/query.h"
#include "http/message/reply.h"
#include "operations/document.h"
#include "operations/operations.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_DEFAULT 20
#define LIMIT_MAX 1000

/* Operations that may be asked for by their ids. */
#define IDS_MAX 100

/* Operations examined in one turn of the loop: well below a millisecond, wherever they lie in
 * memory. */
#define LOOK_MAX 2000

struct list_query {
	bool has_state;
	enum op_state state;
	char *route, *principal, *style; /* NULL: any */
	uint64_t min_age_s, limit;
	struct op *after; /* NULL: from the newest; invalid once the walk has begun */
};

/* A page that is being collected. */
struct list_walk {
	struct http_request *request;
	struct timers *timers;
	struct timer timer; /* the next turn */
	struct list_query query;
	struct op_cursor cursor;
	int64_t now_ms;
	char *base; /* of links */
	struct text json;
	uint64_t found;
	struct id last; /* the last one found */
};

static void
query_fini(struct list_query *query)
{
	free(query->route);
	free(query->principal);
	free(query->style);
}

/* Reads a number; false if it is malformed. */
static bool
read_number(struct http_request *request, const char *name, uint64_t max, uint64_t *value)
{
	CLEANUP_FREE char *text = http_request_query(request, name);
	uint64_t number;

	if (!text)
		return true;
	int rc = text_parse_uint(text, strlen(text), UINT32_MAX, &number);
	if (rc < 0)
		return false;
	*value = number > max ? max : number;
	return true;
}

static bool
read_marker(struct http_request *request, struct operations *operations, struct list_query *query)
{
	CLEANUP_FREE char *text = http_request_query(request, "marker");
	struct id id;

	if (!text)
		return true;
	if (id_parse(text, strlen(text), &id) < 0)
		return false;
	query->after = operations_find(operations, &id);
	return query->after != NULL;
}

/* Whether the request's caller may see op: admins see all, others their own; without log-in everybody sees what nobody
 * in particular has called. */
static bool
is_shown(const struct http_request *request, const struct op *op)
{
	if (request->is_admin)
		return true;
	if (!request->principal || !op->principal)
		return !request->principal && !op->principal;
	return strcmp(request->principal, op->principal) == 0;
}

/* Returns what is wrong with the query as a sentence, or NULL. */
static const char *
read_query(struct http_request *request, struct operations *operations, struct list_query *query)
{
	CLEANUP_FREE char *state = http_request_query(request, "state");

	if (state) {
		query->has_state = true;
		query->state = op_state_find(state);
	}
	query->route = http_request_query(request, "route");
	query->principal = http_request_query(request, "principal");
	query->style = http_request_query(request, "style");
	query->limit = LIMIT_DEFAULT;
	if (query->has_state && query->state == OP_STATE_COUNT)
		return "state is none of an operation's.";
	if (!read_number(request, "min_age", UINT32_MAX, &query->min_age_s))
		return "min_age is not a number of seconds.";
	if (!read_number(request, "limit", LIMIT_MAX, &query->limit) || query->limit == 0)
		return "limit is not a number from 1 on.";
	if (!read_marker(request, operations, query))
		return "marker is not the id of an operation that is kept.";
	return NULL;
}

static bool
passes(const struct list_query *query, const struct op *op, int64_t now_ms)
{
	if (query->has_state && query->state != (enum op_state)op->state)
		return false;
	if (query->route && strcmp(query->route, op_route_key(op)) != 0)
		return false;
	if (query->principal && strcmp(query->principal, op->principal ? op->principal : "") != 0)
		return false;
	if (query->style && strcmp(query->style, op->style[0] ? op->style : "sync") != 0)
		return false;
	return now_ms - op->accepted_ms >= (int64_t)query->min_age_s * 1000;
}

/* Adds the status document; admins see the caller as well. */
static void
add_op(struct text *json, const struct http_request *request, const struct op *op, const char *base)
{
	op_document_add(json, op, base);
	if (!request->is_admin)
		return;
	json->len--;
	text_add_string(json, ",\"principal\":");
	text_add_json(json, op->principal);
	text_add_char(json, '}');
}

/* Adds the URL of the next page: the same query with another marker. */
static void
add_next(struct text *json, const struct http_request *request, const struct id *last)
{
	CLEANUP_FREE char *base = http_request_base(request);
	CLEANUP(text_fini) struct text url = {0};
	const char *at = request->query;
	struct http_query_param param;
	char id[ID_TEXT_SIZE];

	text_addf(&url, "%s%.*s?", base, (int)request->path_len, request->path);
	while (http_query_next(&at, &param))
		if (!text_equal_nocase(param.name, param.name_len, "marker"))
			text_addf(&url, "%.*s&", (int)param.raw_len, param.raw);
	id_format(last, id);
	text_addf(&url, "marker=%s", id);
	text_add_json(json, url.data);
}

static void
add_self(struct text *json, const struct http_request *request)
{
	CLEANUP_FREE char *base = http_request_base(request);
	CLEANUP_FREE char *url = xasprintf("%s%.*s%s%s", base, (int)request->path_len, request->path,
		request->query ? "?" : "", request->query ? request->query : "");

	text_add_json(json, url);
}

/* Answers with the page.  has_more: another operation after the last one found matches. */
static void
finish(struct list_walk *walk, bool has_more)
{
	CLEANUP(fields_fini) struct fields fields = {0};

	text_add_string(&walk->json, "],\"links\":{\"self\":");
	add_self(&walk->json, walk->request);
	text_add_string(&walk->json, ",\"next\":");
	if (has_more)
		add_next(&walk->json, walk->request, &walk->last);
	else
		text_add_string(&walk->json, "null");
	text_add_string(&walk->json, "}}");
	fields_put(&fields, "Cache-Control", "no-store");
	reply_json(walk->request, 200, &fields, &walk->json);
	op_cursor_stop(&walk->cursor);
	timer_stop(&walk->timer);
	query_fini(&walk->query);
	free(walk->base);
	text_fini(&walk->json);
	free(walk);
}

static void
add_found(struct list_walk *walk, const struct op *op)
{
	if (walk->found++ > 0)
		text_add_char(&walk->json, ',');
	add_op(&walk->json, walk->request, op, walk->base);
	walk->last = op->id;
}

/* One turn.  Stops after one match more than the page holds, which tells whether there is a next page. */
static void
go_on(struct list_walk *walk)
{
	for (unsigned looked = 0; looked < LOOK_MAX; looked++) {
		const struct op *op = op_cursor_next(&walk->cursor);
		if (!op) {
			finish(walk, false);
			return;
		}
		if (!is_shown(walk->request, op) || !passes(&walk->query, op, walk->now_ms))
			continue;
		if (walk->found == walk->query.limit) {
			finish(walk, true);
			return;
		}
		add_found(walk, op);
	}
	timer_start(walk->timers, &walk->timer, 0);
}

static void
on_turn(struct timer *timer)
{
	go_on(container_of(timer, struct list_walk, timer));
}

/* The client has gone: answer with what was found. */
static void
on_gone(struct http_request *request)
{
	finish(request->arg, false);
}

/* Answers with those of ids that the caller may see, in the order of the list. */
static void
reply_named(struct http_request *request, struct operations *operations, char *ids)
{
	CLEANUP_FREE char *base = http_request_base(request);
	CLEANUP(text_fini) struct text json = {0};
	CLEANUP(fields_fini) struct fields fields = {0};
	unsigned named = 0;
	char *rest = ids;
	struct id id;

	text_add_string(&json, "{\"operations\":[");
	for (char *text; (text = strsep(&rest, ",")) && named <= IDS_MAX; named++) {
		struct op *op =
			id_parse(text, strlen(text), &id) == 0 ? operations_find(operations, &id) : NULL;
		if (!op || !is_shown(request, op))
			continue;
		if (json.data[json.len - 1] == '}')
			text_add_char(&json, ',');
		add_op(&json, request, op, base);
	}
	if (named > IDS_MAX) {
		reply_problemf(request, PROBLEM_INVALID_PARAMETER, "id has more than %d ids.", IDS_MAX);
		return;
	}
	text_add_string(&json, "],\"links\":{\"self\":");
	add_self(&json, request);
	text_add_string(&json, ",\"next\":null}}");
	fields_put(&fields, "Cache-Control", "no-store");
	reply_json(request, 200, &fields, &json);
}

void
list_reply(struct http_request *request, struct operations *operations, struct timers *timers)
{
	CLEANUP_FREE char *ids = http_request_query(request, "id");
	struct list_query query = {0};

	if (ids) {
		reply_named(request, operations, ids);
		return;
	}
	const char *mistake = read_query(request, operations, &query);

	if (mistake) {
		query_fini(&query);
		reply_problemf(request, PROBLEM_INVALID_PARAMETER, "%s", mistake);
		return;
	}
	struct list_walk *walk = xcalloc(1, sizeof *walk);
	walk->request = request;
	walk->timers = timers;
	walk->query = query;
	walk->base = http_request_base(request);
	walk->now_ms = clock_wall_ms();
	timer_init(&walk->timer, on_turn);
	op_cursor_start(&walk->cursor, operations, query.after);
	request->arg = walk;
	request->on_gone = on_gone;
	text_add_string(&walk->json, "{\"operations\":[");
	go_on(walk);
}
