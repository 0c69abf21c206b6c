/* Style `google` (AIP-151, google.longrunning): an Operation that holds the response or the error once it is done
 * (contract, 5.8). */
#include "calls/call/answer.h"
#include "calls/call/styles.h"
#include "calls/monitor/envelope.h"
#include "calls/monitor/monitor.h"
#include "calls/monitor/own.h"
#include "common/cleanup.h"
#include "common/json/json.h"
#include "http/message/reply.h"

#include <stdlib.h>
#include <string.h>

/* The type of every value here: clients refuse one that they do not know. */
#define STRUCT_TYPE "\"@type\":\"type.googleapis.com/google.protobuf.Struct\",\"value\":"

/* The longest body of a request to wait. */
#define WAIT_BODY_BYTES 1024

/* Elements of a page. */
#define PAGE_DEFAULT 20
#define PAGE_MAX 1000

/* Codes of google.rpc. */
enum { RPC_CANCELLED = 1, RPC_DEADLINE_EXCEEDED = 4, RPC_INTERNAL = 13 };

static int
rpc_code(const struct op *op)
{
	if (op->state == OP_CANCELLED)
		return RPC_CANCELLED;
	return op->state == OP_TIMED_OUT ? RPC_DEADLINE_EXCEEDED : RPC_INTERNAL;
}

/* All members up to the response. */
static void
add_operation(struct text *json, const struct http_request *request, const struct op *op)
{
	char id[ID_TEXT_SIZE];

	id_format(&op->id, id);
	text_addf(json, "{\"name\":\"operations/%s\",\"metadata\":{" STRUCT_TYPE, id);
	answer_add_status(json, request, op);
	text_addf(json, "},\"done\":%s", op_has_ended(op) ? "true" : "false");
}

static void
add_error(struct text *json, const struct op *op)
{
	text_addf(json, ",\"error\":{\"code\":%d,\"message\":", rpc_code(op));
	answer_add_reason(json, op);
	text_add_string(json, ",\"details\":[]}");
}

/* A Struct is an object: other bodies stand in one. */
static void
write_response(const struct http_request *request, const struct op *op, enum body_form form,
	struct text *ret_head, struct text *ret_tail)
{
	add_operation(ret_head, request, op);
	text_add_string(ret_head, ",\"response\":{" STRUCT_TYPE);
	if (form != BODY_OBJECT)
		text_add_string(ret_head, "{\"body\":");
	if (form == BODY_NONE)
		text_add_string(ret_head, "null");
	if (form == BODY_BYTES)
		text_add_string(ret_tail, ",\"encoding\":\"base64\"");
	text_add_string(ret_tail, form == BODY_OBJECT ? "}}" : "}}}");
}

static const struct envelope response_envelope = {
	.status = 200, .shows_strings = true, .write = write_response};

static void
reply_monitor(struct http_request *request, struct styles *styles, struct op *op, struct fields *fields)
{
	CLEANUP(text_fini) struct text json = {0};

	if (op->state == OP_SUCCEEDED) {
		envelope_reply(request, styles, op, fields, &response_envelope);
		return;
	}
	answer_put_poll(fields, op);
	add_operation(&json, request, op);
	if (op_has_ended(op))
		add_error(&json, op);
	text_add_char(&json, '}');
	reply_json(request, 200, fields, &json);
}

static void
reply_accepted(struct http_request *request, struct styles *styles, struct op *op, struct fields *fields)
{
	answer_put_url(fields, "Content-Location", request, "/operations/", op, "");
	answer_put_url(fields, "Location", request, "/operations/", op, "");
	reply_monitor(request, styles, op, fields);
}

/* A cancel that comes too late changes nothing, and is no error (AIP-151). */
static void
reply_cancelled(struct http_request *request, struct styles *styles, struct op *op, struct fields *fields)
{
	CLEANUP(text_fini) struct text json = {0};

	answer_put_poll(fields, op);
	text_add_string(&json, "{}");
	reply_json(request, 200, fields, &json);
}

/* The milliseconds of a google.protobuf.Duration: "10s", "1.5s".  -1: it is none. */
static int64_t
parse_duration(const char *text)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || strcmp(end, "s") != 0 || !(seconds >= 0))
		return -1;
	return seconds < (double)INT32_MAX ? (int64_t)(seconds * 1000) : INT32_MAX;
}

/* Reads {"timeout": "10s"}: as long as the server waits at most, where the body names none.  False: it is malformed. */
static bool
read_timeout(struct http_request *request, int64_t max_ms, int64_t *ret_ms)
{
	CLEANUP(cleanup_json) struct json_object *value = NULL;
	struct json_mistake mistake;
	struct blob *body = NULL;
	int64_t ms = max_ms;

	if (http_request_body_len(request) > WAIT_BODY_BYTES ||
		http_request_take_body(request, -1, &body) < 0)
		return false;
	bool good = !body || json_parse(blob_data(body), (size_t)blob_len(body), &value, &mistake) == 0;
	blob_unref(body);
	struct json_object *timeout = json_find(value, "timeout", NULL);
	if (timeout)
		ms = json_object_is_type(timeout, json_type_string)
			     ? parse_duration(json_object_get_string(timeout))
			     : -1;
	*ret_ms = ms < max_ms ? ms : max_ms;
	return good && ms >= 0;
}

static void
wait(struct http_request *request, const struct style_place *place)
{
	struct op *op = monitor_find(request, place);
	int64_t ms;

	if (!op || op->state == OP_EXPIRED)
		answer_missing(request, place->style, op);
	else if (!read_timeout(request, place->styles->config.wait_max_ms, &ms))
		answer_problem(request, place->style->dialect, PROBLEM_INVALID_PARAMETER, 0,
			"The body is not {\"timeout\": \"10s\"}.", NULL);
	else
		monitor_hold(request, place->styles, reply_monitor, op, ms);
}

static void
reply_removed(struct http_request *request)
{
	CLEANUP(text_fini) struct text json = {0};
	CLEANUP(fields_fini) struct fields fields = {0};

	text_add_string(&json, "{}");
	fields_put(&fields, "Cache-Control", "no-store");
	reply_json(request, 200, &fields, &json);
}

static void
remove_ended(struct http_request *request, const struct style_place *place)
{
	struct op *op = monitor_find(request, place);

	if (!op || op->state == OP_EXPIRED)
		answer_missing(request, place->style, op);
	else
		monitor_remove(request, place->style, op, reply_removed);
}

static void
add_listed(struct text *json, const struct http_request *request, const struct op *op)
{
	add_operation(json, request, op);
	if (op_has_ended(op) && op->state != OP_SUCCEEDED)
		add_error(json, op);
	text_add_char(json, '}');
}

static void
end_list(struct text *json, const struct http_request *request, const struct id *last)
{
	char id[ID_TEXT_SIZE] = "";

	if (last)
		id_format(last, id);
	text_addf(json, "],\"nextPageToken\":\"%s\"}", id);
}

static const struct own_list operations_list = {
	.begin = "{\"operations\":[", .add = add_listed, .end = end_list};

/* A filter other than "done=true" is not known, and a page size that is none is the default (AIP-158). */
static void
list(struct http_request *request, const struct style_place *place)
{
	CLEANUP_FREE char *filter = http_request_query(request, "filter");
	CLEANUP_FREE char *size = http_request_query(request, "pageSize");
	struct own_query query = {.limit = PAGE_DEFAULT, .marker = http_request_query(request, "pageToken")};
	uint64_t limit;

	query.is_done = filter && strcmp(filter, "done=true") == 0;
	if (size && text_parse_uint(size, strlen(size), PAGE_MAX, &limit) == 0 && limit > 0)
		query.limit = (size_t)limit;
	own_reply(request, place->styles, place->style, &operations_list, &query);
}

static const char list_item[] =
	"{'get': {'summary': 'The operations of the caller, without their responses',"
	"  'parameters': [{'name': 'pageSize', 'in': 'query', 'schema': {'type': 'integer'}},"
	"   {'name': 'pageToken', 'in': 'query', 'schema': {'type': 'string'}},"
	"   {'name': 'filter', 'in': 'query', 'description': 'done=true', 'schema': {'type': 'string'}}],"
	"  'responses': {"
	"   '200': {'description': 'A page.', 'content': {'application/json': {'schema': {'type': 'object',"
	"    'properties': {'operations': {'type': 'array', 'items': {'$ref': "
	"'#/components/schemas/GoogleOperation'}},"
	"     'nextPageToken': {'type': 'string'}}}}}},"
	"   '400': {'$ref': '#/components/responses/BadRequest'}}}}";

static const char operation_item[] =
	"{'parameters': [{'$ref': '#/components/parameters/operationId'}],"
	" 'get': {'summary': 'An operation',"
	"  'parameters': [{'$ref': '#/components/parameters/wait'}],"
	"  'responses': {"
	"   '200': {'description': 'In every state.', 'content': {'application/json': {"
	"    'schema': {'$ref': '#/components/schemas/GoogleOperation'}}}},"
	"   '404': {'$ref': '#/components/responses/NotFound'},"
	"   '410': {'$ref': '#/components/responses/Expired'}}},"
	" 'delete': {'summary': 'Remove the result before it expires',"
	"  'responses': {"
	"   '200': {'description': 'It is gone.'},"
	"   '404': {'$ref': '#/components/responses/NotFound'},"
	"   '409': {'$ref': '#/components/responses/Conflict'},"
	"   '410': {'$ref': '#/components/responses/Expired'}}}}";

static const char cancel_item[] = "{'parameters': [{'$ref': '#/components/parameters/operationId'}],"
				  " 'post': {'summary': 'Cancel an operation',"
				  "  'responses': {"
				  "   '200': {'description': 'It is being stopped, or has ended.'},"
				  "   '404': {'$ref': '#/components/responses/NotFound'},"
				  "   '410': {'$ref': '#/components/responses/Expired'}}}}";

static const char wait_item[] =
	"{'parameters': [{'$ref': '#/components/parameters/operationId'}],"
	" 'post': {'summary': 'Wait for the end of an operation',"
	"  'requestBody': {'content': {'application/json': {'schema': {'type': 'object', 'properties': {"
	"   'timeout': {'type': 'string', 'description': 'Seconds, such as 10s.'}}}}}},"
	"  'responses': {"
	"   '200': {'description': 'As it is then.', 'content': {'application/json': {"
	"    'schema': {'$ref': '#/components/schemas/GoogleOperation'}}}},"
	"   '400': {'$ref': '#/components/responses/BadRequest'},"
	"   '404': {'$ref': '#/components/responses/NotFound'},"
	"   '410': {'$ref': '#/components/responses/Expired'}}}}";

static const char responses[] =
	"{"
	"  'AcceptedGoogle': {'description': 'It is kept, and waits or runs; poll /v1/NAME.',"
	"   'headers': {'Location': {'$ref': '#/components/headers/Monitor'},"
	"    'Retry-After': {'$ref': '#/components/headers/RetryAfter'}},"
	"   'content': {'application/json': {'schema': {'$ref': '#/components/schemas/GoogleOperation'}}}}}";

static const char schemas[] =
	"{"
	"  'GoogleStruct': {'type': 'object', 'required': ['@type', 'value'], 'properties': {"
	"    '@type': {'const': 'type.googleapis.com/google.protobuf.Struct'}, 'value': {'type': 'object'}}},"
	"  'GoogleOperation': {'type': 'object', 'required': ['name', 'metadata', 'done'], 'properties': {"
	"    'name': {'type': 'string'}, 'metadata': {'$ref': '#/components/schemas/GoogleStruct'},"
	"    'done': {'type': 'boolean'}, 'response': {'$ref': '#/components/schemas/GoogleStruct'},"
	"    'error': {'type': 'object', 'required': ['code', 'message'], 'properties': {"
	"     'code': {'type': 'integer'}, 'message': {'type': 'string'}, 'details': {'type': 'array'}}}}}}";

const struct style style_google = {
	.name = "google",
	.is_for_routes = true,
	.dialect = PROBLEM_WITH_RPC,
	.reply_accepted = reply_accepted,
	.reply_cancelled = reply_cancelled,
	.monitors = {{.path = "/v1/operations/{id}",
			     .id_prefix = "operations/",
			     .polls = HTTP_GET,
			     .reply = reply_monitor,
			     .handles = HTTP_DELETE,
			     .handle = remove_ended,
			     .item = operation_item},
		{.path = "/v1/operations/{id}:cancel",
			.id_prefix = "operations/",
			.cancels = HTTP_POST,
			.item = cancel_item},
		{.path = "/v1/operations/{id}:wait",
			.id_prefix = "operations/",
			.handles = HTTP_POST,
			.handle = wait,
			.item = wait_item},
		{.path = "/v1/operations", .handles = HTTP_GET, .handle = list, .item = list_item}},
	.openapi =
		{
			.accepted = "AcceptedGoogle",
			.accepted_status = "200",
			.responses = responses,
			.schemas = schemas,
		},
	.words = {.accepted = "name in the JSON is operations/ID"},
};
