/* Style `prediction` (the shape that replicate's clients poll): a prediction below the route's own path (contract,
 * 5.9). */
#include "calls/call/answer.h"
#include "calls/call/route.h"
#include "calls/monitor/envelope.h"
#include "calls/monitor/monitor.h"
#include "calls/monitor/own.h"
#include "common/cleanup.h"
#include "http/message/reply.h"

#include <stdlib.h>
#include <string.h>

/* Predictions on a page. */
#define PAGE_SIZE 100

static const char *
status_of(const struct op *op)
{
	switch (op->state) {
	case OP_SUCCEEDED:
		return "succeeded";
	case OP_CANCELLED:
		return "canceled";
	case OP_FAILED:
	case OP_TIMED_OUT:
		return "failed";
	default:
		return op->state == OP_RUNNING ? "processing" : "starting";
	}
}

/* The length of the route's own path at the beginning of the request's, which may go on with the id and a verb. */
static size_t
route_path_len(const struct http_request *request, const struct op *op)
{
	char id[ID_TEXT_SIZE];

	id_format(&op->id, id);
	const char *found = memmem(request->path, request->path_len, id, strlen(id));
	return found ? (size_t)(found - request->path) - 1 : request->path_len;
}

static void
add_urls(struct text *json, const struct http_request *request, const struct op *op)
{
	CLEANUP_FREE char *base = http_request_base(request);
	char id[ID_TEXT_SIZE];

	id_format(&op->id, id);
	CLEANUP_FREE char *url =
		xasprintf("%s%.*s/%s", base, (int)route_path_len(request, op), request->path, id);
	CLEANUP_FREE char *cancel = xasprintf("%s/cancel", url);
	text_add_string(json, ",\"urls\":{\"get\":");
	text_add_json(json, url);
	answer_add_member(json, "cancel", cancel);
	text_add_char(json, '}');
}

static void
add_date(struct text *json, const char *name, int64_t wall_ms)
{
	if (wall_ms)
		answer_add_date(json, name, wall_ms);
	else
		answer_add_member(json, name, NULL);
}

/* Adds the member input of the request's body, while that is known. */
static void
add_input(struct text *json, const struct op *op)
{
	CLEANUP_FREE char *input = op_dup_body_member(op, "input");

	text_addf(json, ",\"input\":%s", input ? input : "{}");
}

static void
add_times(struct text *json, const struct op *op)
{
	text_add_string(json, ",\"metrics\":{");
	if (op->state == OP_SUCCEEDED && op->started_ms)
		text_addf(json, "\"predict_time\":%.3f", (double)(op->ended_ms - op->started_ms) / 1000);
	text_add_char(json, '}');
	add_date(json, "created_at", op->accepted_ms);
	add_date(json, "started_at", op->started_ms);
	add_date(json, "completed_at", op_has_ended(op) ? op->ended_ms : 0);
}

static void
add_error(struct text *json, const struct op *op)
{
	text_add_string(json, ",\"error\":");
	if (op->state == OP_FAILED || op->state == OP_TIMED_OUT)
		answer_add_reason(json, op);
	else
		text_add_string(json, "null");
}

/* All members but output. */
static void
add_prediction(struct text *json, const struct http_request *request, const struct op *op)
{
	char id[ID_TEXT_SIZE], said[201];

	id_format(&op->id, id);
	op_progress(op, said, sizeof said);
	text_addf(json, "{\"id\":\"%s\",\"status\":\"%s\"", id, status_of(op));
	add_input(json, op);
	add_error(json, op);
	answer_add_member(json, "logs", said);
	add_times(json, op);
	add_urls(json, request, op);
	text_add_string(json, ",\"output\":");
}

static void
add_result_url(struct text *json, const struct http_request *request, const struct op *op)
{
	CLEANUP_FREE char *base = http_request_base(request);
	char id[ID_TEXT_SIZE];

	id_format(&op->id, id);
	CLEANUP_FREE char *url = xasprintf("%s/operations/%s", base, id);
	text_add_json(json, url);
}

/* JSON stands in the prediction; other bytes are at the URL of the final response. */
static void
write_ended(const struct http_request *request, const struct op *op, enum body_form form,
	struct text *ret_head, struct text *ret_tail)
{
	add_prediction(ret_head, request, op);
	if (form == BODY_NONE)
		text_add_string(ret_head, "null");
	else if (form != BODY_OBJECT && form != BODY_JSON)
		add_result_url(ret_head, request, op);
	text_add_char(ret_tail, '}');
}

static const struct envelope polled = {.status = 200, .write = write_ended};
static const struct envelope created = {.status = 201, .write = write_ended};

static void
reply(struct http_request *request, struct styles *styles, struct op *op, struct fields *fields,
	const struct envelope *envelope)
{
	CLEANUP(text_fini) struct text json = {0};

	if (op->state == OP_SUCCEEDED) {
		envelope_reply(request, styles, op, fields, envelope);
		return;
	}
	answer_put_poll(fields, op);
	add_prediction(&json, request, op);
	text_add_string(&json, "null}");
	reply_json(request, envelope->status, fields, &json);
}

/* Also when it has ended in time. */
static void
reply_accepted(struct http_request *request, struct styles *styles, struct op *op, struct fields *fields)
{
	answer_put_url(fields, "Content-Location", request, "/operations/", op, "");
	answer_put_url(fields, "Location", request, "/operations/", op, "");
	reply(request, styles, op, fields, &created);
}

static void
reply_monitor(struct http_request *request, struct styles *styles, struct op *op, struct fields *fields)
{
	reply(request, styles, op, fields, &polled);
}

/* Outputs are at their URLs. */
static void
add_listed(struct text *json, const struct http_request *request, const struct op *op)
{
	add_prediction(json, request, op);
	if (op->state == OP_SUCCEEDED)
		add_result_url(json, request, op);
	else
		text_add_string(json, "null");
	text_add_char(json, '}');
}

static void
end_list(struct text *json, const struct http_request *request, const struct id *last)
{
	CLEANUP_FREE char *base = http_request_base(request);
	char id[ID_TEXT_SIZE];

	text_add_string(json, "],\"previous\":null,\"next\":");
	if (last) {
		id_format(last, id);
		CLEANUP_FREE char *url =
			xasprintf("%s%.*s?cursor=%s", base, (int)request->path_len, request->path, id);
		text_add_json(json, url);
	} else {
		text_add_string(json, "null");
	}
	text_add_char(json, '}');
}

static const struct own_list predictions_list = {
	.begin = "{\"results\":[", .add = add_listed, .end = end_list};

static void
list(struct http_request *request, const struct style_place *place)
{
	struct own_query query = {.route = place->route->config.op_route,
		.limit = PAGE_SIZE,
		.marker = http_request_query(request, "cursor")};

	own_reply(request, place->styles, place->style, &predictions_list, &query);
}

static const char list_item[] =
	"{'get': {'summary': 'The predictions of the caller, newest first',"
	"  'parameters': [{'name': 'cursor', 'in': 'query', 'schema': {'type': 'string'}}],"
	"  'responses': {"
	"   '200': {'description': 'A page.', 'content': {'application/json': {'schema': {'type': 'object',"
	"    'properties': {'results': {'type': 'array', 'items': {'$ref': "
	"'#/components/schemas/Prediction'}},"
	"     'next': {'type': ['string', 'null']}, 'previous': {'type': ['string', 'null']}}}}}},"
	"   '400': {'$ref': '#/components/responses/BadRequest'}}}}";

static const char prediction_item[] =
	"{'get': {'summary': 'A prediction',"
	"  'parameters': [{'$ref': '#/components/parameters/operationId'},"
	"   {'$ref': '#/components/parameters/wait'}],"
	"  'responses': {"
	"   '200': {'description': 'In every state.', 'content': {'application/json': {"
	"    'schema': {'$ref': '#/components/schemas/Prediction'}}}},"
	"   '404': {'$ref': '#/components/responses/NotFound'},"
	"   '410': {'$ref': '#/components/responses/Expired'}}}}";

static const char cancel_item[] =
	"{'post': {'summary': 'Cancel a prediction',"
	"  'parameters': [{'$ref': '#/components/parameters/operationId'}],"
	"  'responses': {"
	"   '200': {'description': 'As it is now.', 'content': {'application/json': {"
	"    'schema': {'$ref': '#/components/schemas/Prediction'}}}},"
	"   '404': {'$ref': '#/components/responses/NotFound'},"
	"   '410': {'$ref': '#/components/responses/Expired'}}}}";

static const char responses[] =
	"{"
	"  'CreatedPrediction': {'description': 'It is kept, and waits or runs; or has ended in time.',"
	"   'headers': {'Location': {'$ref': '#/components/headers/Monitor'}},"
	"   'content': {'application/json': {'schema': {'$ref': '#/components/schemas/Prediction'}}}}}";

static const char schemas[] =
	"{"
	"  'Prediction': {'type': 'object', 'required': ['id', 'status', 'urls'], 'properties': {"
	"    'id': {'type': 'string', 'format': 'uuid'},"
	"    'status': {'enum': ['starting', 'processing', 'succeeded', 'failed', 'canceled']},"
	"    'input': {}, 'output': {}, 'error': {'type': ['string', 'null']}, 'logs': {'type': 'string'},"
	"    'metrics': {'type': 'object', 'properties': {'predict_time': {'type': 'number'}}},"
	"    'created_at': {'type': 'string', 'format': 'date-time'},"
	"    'started_at': {'type': ['string', 'null']}, 'completed_at': {'type': ['string', 'null']},"
	"    'urls': {'type': 'object', 'properties': {"
	"     'get': {'type': 'string', 'format': 'uri'}, 'cancel': {'type': 'string', 'format': 'uri'}}}}}}";

const struct style style_prediction = {
	.name = "prediction",
	.is_for_routes = true,
	.waits_bare = true,
	.reply_accepted = reply_accepted,
	.reply_ended = reply_accepted,
	.reply_cancelled = reply_monitor,
	.below = {{.path = "/{id}", .polls = HTTP_GET, .reply = reply_monitor, .item = prediction_item},
		{.path = "", .handles = HTTP_GET, .handle = list, .item = list_item},
		{.path = "/{id}/cancel", .cancels = HTTP_POST, .item = cancel_item}},
	.openapi =
		{
			.accepted = "CreatedPrediction",
			.accepted_status = "201",
			.responses = responses,
			.schemas = schemas,
		},
	.words = {.accepted = "urls.get in the JSON is where it is polled"},
};
