/* Style `azure` (Azure's REST guidelines and Resource Manager): a monitor that is 200 until it expires, found by
 * Operation-Location and Azure-AsyncOperation (contract, 5.7). */
#include "calls/call/answer.h"
#include "calls/monitor/monitor.h"
#include "common/cleanup.h"
#include "http/message/reply.h"

#include <stdlib.h>

#define MONITOR_PATH "/azure/operations/"

static const char *
status_of(const struct op *op)
{
	switch (op->state) {
	case OP_SUCCEEDED:
		return "Succeeded";
	case OP_CANCELLED:
		return "Canceled";
	case OP_FAILED:
	case OP_TIMED_OUT:
		return "Failed";
	default:
		return op->state == OP_RUNNING ? "Running" : "NotStarted";
	}
}

static void
add_error(struct text *json, const struct op *op)
{
	CLEANUP_FREE char *code = op_dup_problem(op);

	text_add_string(json, ",\"error\":{\"code\":");
	text_add_json(json, code ? code : "failed");
	text_add_string(json, ",\"message\":");
	answer_add_reason(json, op);
	text_add_char(json, '}');
}

/* Adds the final response's URL, and not that of an item: clients read it after a DELETE, too. */
static void
add_result(struct text *json, const struct http_request *request, const char *id)
{
	CLEANUP_FREE char *base = http_request_base(request);
	CLEANUP_FREE char *url = xasprintf("%s/operations/%s", base, id);

	answer_add_member(json, "resourceLocation", url);
}

static void
add_operation(struct text *json, const struct http_request *request, const struct op *op)
{
	char id[ID_TEXT_SIZE];

	id_format(&op->id, id);
	text_addf(json, "{\"id\":\"" MONITOR_PATH "%s\",\"name\":\"%s\",\"status\":\"%s\"", id, id,
		status_of(op));
	answer_add_date(json, "startTime", op->accepted_ms);
	if (op_has_ended(op))
		answer_add_date(json, "endTime", op->ended_ms);
	text_addf(json, ",\"percentComplete\":%d", op_progress(op, NULL, 0));
	if (op->state == OP_SUCCEEDED)
		add_result(json, request, id);
	else if (op->state == OP_FAILED || op->state == OP_TIMED_OUT)
		add_error(json, op);
	text_add_char(json, '}');
}

static void
reply_accepted(struct http_request *request, struct styles *styles, struct op *op, struct fields *fields)
{
	CLEANUP(text_fini) struct text json = {0};

	answer_put_accepted(fields, request, op);
	answer_put_url(fields, "Operation-Location", request, MONITOR_PATH, op, "");
	answer_put_url(fields, "Azure-AsyncOperation", request, MONITOR_PATH, op, "");
	answer_put_url(fields, "Location", request, "/operations/", op, "");
	add_operation(&json, request, op);
	reply_json(request, 202, fields, &json);
}

static void
reply_monitor(struct http_request *request, struct styles *styles, struct op *op, struct fields *fields)
{
	CLEANUP(text_fini) struct text json = {0};

	answer_put_poll(fields, op);
	add_operation(&json, request, op);
	reply_json(request, 200, fields, &json);
}

/* Its clients take 410 for an answer of the service that cannot be trusted. */
static void
reply_missing(struct http_request *request, const struct op *op)
{
	answer_problem(request, PROBLEM_WITH_NAME, PROBLEM_NOT_FOUND, 0,
		op ? "The operation has ended and its result is no longer kept."
		   : "There is no operation with this id.",
		NULL);
}

static const char monitor_item[] =
	"{'parameters': [{'$ref': '#/components/parameters/operationId'}],"
	" 'get': {'summary': 'How an operation is',"
	"  'parameters': [{'$ref': '#/components/parameters/wait'}],"
	"  'responses': {"
	"   '200': {'description': 'In every state.', 'content': {'application/json': {"
	"    'schema': {'$ref': '#/components/schemas/AzureOperation'}}}},"
	"   '404': {'$ref': '#/components/responses/NotFound'}}}}";

static const char responses[] =
	"{"
	"  'AcceptedAzure': {'description': 'It is kept, and waits or runs; poll the Operation-Location.',"
	"   'headers': {'Operation-Location': {'$ref': '#/components/headers/Monitor'},"
	"    'Azure-AsyncOperation': {'$ref': '#/components/headers/Monitor'},"
	"    'Location': {'$ref': '#/components/headers/Monitor'},"
	"    'Retry-After': {'$ref': '#/components/headers/RetryAfter'}},"
	"   'content': {'application/json': {'schema': {'$ref': '#/components/schemas/AzureOperation'}}}}}";

static const char schemas[] =
	"{"
	"  'AzureOperation': {'type': 'object', 'required': ['id', 'name', 'status', 'startTime', "
	"'percentComplete'],"
	"   'properties': {"
	"    'id': {'type': 'string'}, 'name': {'type': 'string', 'format': 'uuid'},"
	"    'status': {'enum': ['NotStarted', 'Running', 'Succeeded', 'Failed', 'Canceled']},"
	"    'startTime': {'type': 'string', 'format': 'date-time'},"
	"    'endTime': {'type': 'string', 'format': 'date-time'},"
	"    'percentComplete': {'type': 'integer', 'minimum': 0, 'maximum': 100},"
	"    'resourceLocation': {'type': 'string', 'format': 'uri'},"
	"    'error': {'type': 'object', 'required': ['code', 'message'], 'properties': {"
	"     'code': {'type': 'string'}, 'message': {'type': 'string'}}}}}}";

const struct style style_azure = {
	.name = "azure",
	.is_for_routes = true,
	.dialect = PROBLEM_WITH_NAME,
	.reply_accepted = reply_accepted,
	.reply_missing = reply_missing,
	.monitors = {{.path = MONITOR_PATH "{id}",
		.polls = HTTP_GET,
		.cancels = HTTP_DELETE,
		.reply = reply_monitor,
		.item = monitor_item}},
	.openapi = {.accepted = "AcceptedAzure", .responses = responses, .schemas = schemas},
	.words = {.accepted = "Operation-Location is where the operation is polled"},
};
