/* Style `status` (Cisco CloudCenter): an operationStatus resource that stays readable until it expires
 * (contract, 5.2). */
#include "calls/call/answer.h"
#include "calls/call/route.h"
#include "calls/monitor/monitor.h"
#include "common/cleanup.h"
#include "http/message/reply.h"

#include <stdlib.h>
#include <string.h>

#define MONITOR_PATH "/v1/operationStatus/"

static char *
monitor_url(const struct http_request *request, const struct op *op)
{
	CLEANUP_FREE char *base = http_request_base(request);
	char id[ID_TEXT_SIZE];

	id_format(&op->id, id);
	return xasprintf("%s" MONITOR_PATH "%s", base, id);
}

/* The URL of what the call made or changed, once it has succeeded and if its final response tells; else the
 * monitor's. */
static char *
resource_url(const struct http_request *request, const struct op *op)
{
	CLEANUP_FREE char *location =
		op->state == OP_SUCCEEDED ? fields_dup_value(&op->fields, "Location") : NULL;

	if (!location)
		return monitor_url(request, op);
	if (location[0] != '/')
		return xstrdup(location);
	CLEANUP_FREE char *base = http_request_base(request);
	return xasprintf("%s%s", base, location);
}

static void
reply_accepted(struct http_request *request, struct styles *styles, struct op *op, struct fields *fields)
{
	CLEANUP_FREE char *url = monitor_url(request, op);
	CLEANUP(text_fini) struct text json = {0};
	char id[ID_TEXT_SIZE];
	fields_put(fields, "Location", url);
	if (request->method == HTTP_DELETE) {
		fields_put(fields, "Cache-Control", "no-store");
		reply_bytes(request, 204, fields, NULL, 0);
		return;
	}
	id_format(&op->id, id);
	answer_put_accepted(fields, request, op);
	text_addf(
		&json, "{\"id\":\"%s\",\"operationId\":\"%s\",\"status\":\"RUNNING\",\"resource\":", id, id);
	text_add_json(&json, url);
	text_add_string(&json, ",\"resourceUrl\":");
	text_add_json(&json, url);
	text_add_char(&json, '}');
	reply_json(request, 202, fields, &json);
}

static void
add_message(struct text *json, const struct op *op, const char *progress_text)
{
	text_add_string(json, ",\"msg\":");
	if (op->state == OP_SUCCEEDED)
		text_add_json(json, "The operation succeeded.");
	else if (op_has_ended(op))
		answer_add_reason(json, op);
	else if (progress_text[0])
		text_add_json(json, progress_text);
	else
		text_add_json(json,
			op->state == OP_QUEUED ? "The operation is queued." : "The operation is running.");
}

static void
reply_monitor(struct http_request *request, struct styles *styles, struct op *op, struct fields *fields)
{
	CLEANUP_FREE char *resource = resource_url(request, op);
	CLEANUP(text_fini) struct text json = {0};
	const char *status = !op_has_ended(op) ? "RUNNING" : op->state == OP_SUCCEEDED ? "SUCCESS" : "FAILED";
	char id[ID_TEXT_SIZE], progress_text[201];
	int progress = op_progress(op, progress_text, sizeof progress_text);
	id_format(&op->id, id);
	text_addf(&json, "{\"operationId\":\"%s\",\"id\":\"%s\",\"status\":\"%s\",\"resource\":", id, id,
		status);
	text_add_json(&json, resource);
	text_add_string(&json, ",\"resourceUrl\":");
	text_add_json(&json, resource);
	add_message(&json, op, progress_text);
	text_addf(&json, ",\"progress\":%d,\"additionalParameters\":[]}", progress);
	answer_put_poll(fields, op);
	reply_json(request, 200, fields, &json);
}

static const char monitor_item[] =
	"{'parameters': [{'$ref': '#/components/parameters/operationId'}],"
	" 'get': {'summary': 'How an operation is',"
	"  'parameters': [{'$ref': '#/components/parameters/wait'}],"
	"  'responses': {"
	"   '200': {'description': 'Running, or how it ended.', 'content': {'application/json': {"
	"    'schema': {'$ref': '#/components/schemas/OperationStatus'}}}},"
	"   '404': {'$ref': '#/components/responses/NotFound'},"
	"   '410': {'$ref': '#/components/responses/Expired'}}}}";

static const char responses[] =
	"{"
	"  'AcceptedStatus': {'description': 'It is kept, and waits or runs; poll the Location.',"
	"   'headers': {'Location': {'$ref': '#/components/headers/Monitor'},"
	"    'Retry-After': {'$ref': '#/components/headers/RetryAfter'}},"
	"   'content': {'application/json': {'schema': {'$ref': '#/components/schemas/OperationStatus'}}}},"
	"  'AcceptedDelete': {'description': 'The deletion is kept, and goes on in the background; poll the "
	"Location.',"
	"   'headers': {'Location': {'$ref': '#/components/headers/Monitor'}}}}";

static const char schemas[] =
	"{"
	"  'OperationStatus': {'type': 'object', 'required': ['id', 'operationId', 'status', 'resource', "
	"'resourceUrl'],"
	"   'properties': {"
	"    'id': {'type': 'string', 'format': 'uuid'}, 'operationId': {'type': 'string', 'format': 'uuid'},"
	"    'status': {'enum': ['RUNNING', 'SUCCESS', 'FAILED']},"
	"    'resource': {'type': 'string', 'format': 'uri'}, 'resourceUrl': {'type': 'string', 'format': "
	"'uri'},"
	"    'msg': {'type': 'string'}, 'progress': {'type': 'integer', 'minimum': 0, 'maximum': 100},"
	"    'additionalParameters': {'type': 'array'}}}}";

const struct style style_status = {
	.name = "status",
	.is_for_routes = true,
	.dialect = PROBLEM_WITH_MSG,
	.keep_ms = 5 * 60 * 1000,
	.reply_accepted = reply_accepted,
	.monitors = {{.path = "/v1/operationStatus/{id}",
		.polls = HTTP_GET,
		.cancels = HTTP_DELETE,
		.reply = reply_monitor,
		.item = monitor_item}},
	.openapi =
		{
			.accepted = "AcceptedStatus",
			.accepted_deletes = "AcceptedDelete",
			.accepted_deletes_status = "204",
			.responses = responses,
			.schemas = schemas,
		},
	.words = {.accepted = "resourceUrl in the JSON is where the operation is polled"},
};
