/* Style `token` (Paxport): a token in the answer, polled at the route's own path with /poll (contract,
 * 5.4). */
#include "calls/call/answer.h"
#include "calls/call/route.h"
#include "calls/monitor/envelope.h"
#include "calls/monitor/monitor.h"
#include "common/cleanup.h"
#include "http/message/reply.h"

#include <stdlib.h>
#include <string.h>

static void
add_operation(struct text *json, const char *token, const char *status)
{
	text_add_string(json, "{\"asyncOperation\":{\"token\":");
	text_add_json(json, token);
	text_addf(json, ",\"status\":\"%s\"}", status);
}

static void
reply_accepted(struct http_request *request, struct styles *styles, struct op *op, struct fields *fields)
{
	CLEANUP(text_fini) struct text json = {0};
	char id[ID_TEXT_SIZE];
	id_format(&op->id, id);
	answer_put_accepted(fields, request, op);
	answer_put_url(fields, "Location", request, "/operations/", op, "");
	answer_put_url(fields, "Link", request, "/operations/", op, ">; rel=\"monitor\"");
	add_operation(&json, id, "IN_PROGRESS");
	text_add_char(&json, '}');
	reply_json(request, 202, fields, &json);
}

static void
write_result(const struct http_request *request, const struct op *op, enum body_form form,
	struct text *ret_head, struct text *ret_tail)
{
	char id[ID_TEXT_SIZE];

	(void)request;
	id_format(&op->id, id);
	add_operation(ret_head, id, "READY");
	text_add_string(ret_head, ",\"result\":");
	if (form == BODY_NONE)
		text_add_string(ret_head, "null");
	else if (form == BODY_BYTES)
		text_add_string(ret_tail, ",\"resultEncoding\":\"base64\"");
	text_addf(ret_tail, ",\"resultStatus\":%d}", op->status);
}

static const struct envelope result_envelope = {.status = 200, .shows_strings = true, .write = write_result};

/* Answers that need no result; op is NULL for a token that stands for nothing here. */
static void
reply_state(struct http_request *request, const char *token, const char *status, const struct op *op,
	struct fields *fields)
{
	CLEANUP(text_fini) struct text json = {0};

	add_operation(&json, token, status);
	text_add_char(&json, '}');
	if (op)
		answer_put_poll(fields, op);
	else
		fields_put(fields, "Cache-Control", "no-store");
	reply_json(request, 200, fields, &json);
}

static void
reply_monitor(struct http_request *request, struct styles *styles, struct op *op, struct fields *fields)
{
	char id[ID_TEXT_SIZE];

	id_format(&op->id, id);
	if (op_has_ended(op))
		envelope_reply(request, styles, op, fields, &result_envelope);
	else
		reply_state(request, id, "IN_PROGRESS", op, fields);
}

/* The operation that token stands for on this route, NULL if it is none. */
static struct op *
find(const struct style_route *route, const struct http_request *request, const char *token)
{
	struct op *op = NULL;
	struct id id;

	if (id_parse(token, strlen(token), &id) == 0)
		op = operations_find(route->styles->config.operations, &id);
	if (!op || !op_is_of_route(op, route->config.op_route) || !monitor_may_use(request, op))
		return NULL;
	return op;
}

static void
poll(struct http_request *request, const struct style_place *place)
{
	const struct style_route *route = place->route;
	CLEANUP(fields_fini) struct fields fields = {0};
	CLEANUP_FREE char *token = http_request_query(request, "asyncOperationToken");

	if (!token) {
		answer_problem(request, PROBLEM_PLAIN, PROBLEM_INVALID_PARAMETER, 0,
			"The query parameter asyncOperationToken is missing.", NULL);
		return;
	}
	struct op *op = find(route, request, token);
	bool live = op && op->state != OP_EXPIRED;
	if (request->method == HTTP_DELETE && live)
		monitor_cancel(request, route->styles, place->style, op);
	else if (request->method == HTTP_DELETE)
		answer_missing(request, place->style, op);
	else if (live)
		monitor_get(request, route->styles, reply_monitor, op);
	else
		reply_state(request, token, op ? "EXPIRED" : "NOT_FOUND", op, &fields);
}

static bool
poll_now(struct http_request *request, const struct style_place *place)
{
	const struct style_route *route = place->route;
	CLEANUP_FREE char *token = http_request_query(request, "asyncOperationToken");
	struct op *op = token ? find(route, request, token) : NULL;

	if (op && !monitor_is_at_hand(request, op))
		return false;
	poll(request, place);
	return true;
}

static const char poll_item[] =
	"{'get': {'summary': 'How the operation of a token is',"
	"  'parameters': ["
	"   {'name': 'asyncOperationToken', 'in': 'query', 'required': true, 'schema': {'type': 'string'}},"
	"   {'$ref': '#/components/parameters/wait'}],"
	"  'responses': {"
	"   '200': {'description': 'In every state.', 'content': {'application/json': {"
	"    'schema': {'$ref': '#/components/schemas/AsyncOperation'}}}},"
	"   '400': {'$ref': '#/components/responses/BadRequest'}}}}";

static const char responses[] =
	"{"
	"  'AcceptedToken': {'description': 'It is kept, and waits or runs; poll with the token.',"
	"   'headers': {'Retry-After': {'$ref': '#/components/headers/RetryAfter'}},"
	"   'content': {'application/json': {'schema': {'$ref': '#/components/schemas/AsyncOperation'}}}}}";

static const char schemas[] =
	"{"
	"  'AsyncOperation': {'type': 'object', 'required': ['asyncOperation'], 'properties': {"
	"   'asyncOperation': {'type': 'object', 'required': ['token', 'status'], 'properties': {"
	"    'token': {'type': 'string'},"
	"    'status': {'enum': ['IN_PROGRESS', 'READY', 'EXPIRED', 'NOT_FOUND']}}},"
	"   'result': true, 'resultStatus': {'type': 'integer'}, 'resultEncoding': {'const': 'base64'}}}}";

const struct style style_token = {
	.name = "token",
	.is_for_routes = true,
	.reply_accepted = reply_accepted,
	.below = {{.path = "/poll",
		.handles = HTTP_GET | HTTP_DELETE,
		.handle = poll,
		.handle_now = poll_now,
		.query = "asyncOperationToken=ID",
		.item = poll_item}},
	.openapi = {.accepted = "AcceptedToken", .responses = responses, .schemas = schemas},
	.words = {.accepted = "asyncOperation.token in the JSON is the ID to poll with"},
};
