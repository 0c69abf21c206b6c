/* Style `location` (Cisco PCCE): ?async=true, a monitor that turns into the final response (contract,
 * 5.1). */
#include "calls/call/answer.h"
#include "calls/call/route.h"
#include "calls/monitor/monitor.h"
#include "common/cleanup.h"
#include "http/message/reply.h"

#include <stdlib.h>

static enum style_claim
asks(const struct style_request *request)
{
	return request->is_async ? STYLE_ASKED : STYLE_NOT_ASKED;
}

static void
reply_monitor(struct http_request *request, struct styles *styles, struct op *op, struct fields *fields)
{
	if (op_has_ended(op))
		answer_final(request, op, fields, true);
	else
		answer_pending(request, styles, op, fields);
}

static void
reply_status(struct http_request *request, const struct style_place *place)
{
	CLEANUP(text_fini) struct text json = {0};
	CLEANUP(fields_fini) struct fields fields = {0};
	const struct op *op = monitor_find(request, place);

	if (!op) {
		answer_missing(request, place->style, NULL);
		return;
	}
	answer_put_poll(&fields, op);
	answer_add_status(&json, request, op);
	reply_json(request, 200, &fields, &json);
}

static bool
reply_status_now(struct http_request *request, const struct style_place *place)
{
	reply_status(request, place);
	return true;
}

static void
reply_removed(struct http_request *request)
{
	CLEANUP(fields_fini) struct fields fields = {0};

	fields_put(&fields, "Cache-Control", "no-store");
	reply_bytes(request, 204, &fields, NULL, 0);
}

static void
remove_result(struct http_request *request, const struct style_place *place)
{
	struct op *op = monitor_find(request, place);

	if (!op || op->state == OP_EXPIRED)
		answer_missing(request, place->style, op);
	else
		monitor_remove(request, place->style, op, reply_removed);
}

static const char result_item[] = "{'parameters': [{'$ref': '#/components/parameters/operationId'}],"
				  " 'delete': {'summary': 'Remove the result before it expires',"
				  "  'responses': {"
				  "   '204': {'description': 'It is gone.'},"
				  "   '404': {'$ref': '#/components/responses/NotFound'},"
				  "   '409': {'$ref': '#/components/responses/Conflict'},"
				  "   '410': {'$ref': '#/components/responses/Expired'}}}}";

static const char status_item[] =
	"{'parameters': [{'$ref': '#/components/parameters/operationId'}],"
	" 'get': {'summary': 'How an operation of any style is, until it is forgotten',"
	"  'responses': {"
	"   '200': {'description': 'In every state.', 'content': {'application/json': {"
	"    'schema': {'$ref': '#/components/schemas/Status'}}}},"
	"   '404': {'$ref': '#/components/responses/NotFound'}}}}";

static const char schemas[] =
	"{"
	"  'Status': {'type': 'object', 'required': ['id', 'route', 'style', 'state', 'accepted_at', "
	"'links'],"
	"   'properties': {"
	"    'id': {'type': 'string', 'format': 'uuid'}, 'route': {'type': 'string'}, 'style': {'type': "
	"'string'},"
	"    'state': {'enum': ['queued', 'running', 'succeeded', 'failed', 'timed_out', 'cancelled', "
	"'expired']},"
	"    'status': {'type': ['integer', 'null']}, 'progress': {'type': ['integer', 'null']},"
	"    'message': {'type': ['string', 'null']}, 'queue_position': {'type': ['integer', 'null']},"
	"    'attempt': {'type': 'integer'}, 'accepted_at': {'type': 'string', 'format': 'date-time'},"
	"    'started_at': {'type': ['string', 'null']}, 'ended_at': {'type': ['string', 'null']},"
	"    'expires_at': {'type': ['string', 'null']},"
	"    'error': {'type': ['object', 'null'], 'properties': {'type': {'type': 'string'},"
	"     'status': {'type': 'integer'}, 'detail': {'type': 'string'}}},"
	"    'links': {'type': 'object', 'properties': {'self': {'type': 'string', 'format': 'uri'},"
	"     'result': {'type': ['string', 'null']}, 'events': {'type': ['string', 'null']},"
	"     'output': {'type': ['string', 'null']}, 'cancel': {'type': ['string', 'null']}}}}}}";

static const char monitor_item[] =
	"{'parameters': [{'$ref': '#/components/parameters/operationId'}],"
	" 'get': {'summary': 'The final response, once it is there'," STYLE_FINAL_RESPONSE;

const struct style style_location = {
	.name = "location",
	.asks = asks,
	.reply_accepted = answer_accepted,
	.monitors = {{.path = "/operations/{id}",
			     .polls = HTTP_GET,
			     .cancels = HTTP_DELETE,
			     .reply = reply_monitor,
			     .item = monitor_item},
		{.path = "/operations/{id}/status",
			.handles = HTTP_GET,
			.handle = reply_status,
			.handle_now = reply_status_now,
			.item = status_item},
		{.path = "/operations/{id}/result",
			.handles = HTTP_DELETE,
			.handle = remove_result,
			.item = result_item}},
	.openapi = {.schemas = schemas},
	.words = {.query = "async=true", .accepted = "Location is where the final response will be"},
};
