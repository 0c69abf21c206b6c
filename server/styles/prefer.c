/* Style `prefer` (Guidewire Cloud API): Prefer: respond-async, a request resource and its response (contract,
 * 5.5). */
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json/json.h"
#include "http/reply.h"
#include "styles/answer.h"
#include "styles/monitor.h"
#include "styles/preference.h"
#include "styles/private.h"

#include <stdlib.h>
#include <string.h>

/* A lone wait bounds a synchronous call, too: then it ends in a 202. */
static enum style_claim
asks(const struct style_request *request)
{
	const struct preferences *preferences = request->preferences;

	if (preferences->respond_async)
		return STYLE_ASKED;
	return preferences->has_wait && preferences->wait_ms > 0 && !request->is_safe ? STYLE_FALLBACK
										      : STYLE_NOT_ASKED;
}

/* Adds GW-Async-Location. */
static void
put_location(struct fields *fields, const struct op *op)
{
	char id[ID_TEXT_SIZE];

	id_format(&op->id, id);
	fields_putf(fields, "GW-Async-Location", "/async/v1/requests/%s", id);
}

static void
reply_accepted(struct http_request *request, struct op *op, struct fields *fields)
{
	answer_put_accepted(fields, op);
	put_location(fields, op);
	answer_put_url(fields, "Location", request, "/operations/", op, "");
	reply_bytes(request, 202, fields, NULL, 0);
}

static void
add_date(struct text *json, const char *name, int64_t wall_ms)
{
	char date[CLOCK_ISO8601_SIZE];

	clock_format_iso8601(wall_ms, date);
	text_addf(json, ",\"%s\":\"%s\"", name, date);
}

static bool
is_namesake(const struct field *field, const struct field *other)
{
	return field_is_one_of(field, &(struct field_name){other->name, other->name_len}, 1);
}

/* Whether it is the first of its name. */
static bool
is_first(const struct field *one, const struct fields *fields)
{
	fields_for_each(field, fields)
		if (is_namesake(&field, one))
			return field.name == one->name;
	return true;
}

/* Adds the values of all fields of that name, joined. */
static void
add_values(struct text *json, const struct field *first, const struct fields *fields)
{
	CLEANUP(text_fini) struct text joined = {0};

	fields_for_each(field, fields) {
		if (!is_namesake(&field, first))
			continue;
		if (field.name != first->name)
			text_add_string(&joined, ", ");
		text_add(&joined, field.value, field.value_len);
	}
	text_add_json_bytes(json, joined.data, joined.len);
}

/* Adds the header fields as an object, repeated ones joined.  Their bytes need not be UTF-8. */
static void
add_headers(struct text *json, const struct fields *fields)
{
	bool is_empty = true;

	text_add_string(json, ",\"responseHeaders\":{");
	fields_for_each(field, fields) {
		if (!is_first(&field, fields))
			continue;
		if (!is_empty)
			text_add_char(json, ',');
		is_empty = false;
		text_add_json_bytes(json, field.name, field.name_len);
		text_add_char(json, ':');
		add_values(json, &field, fields);
	}
	text_add_char(json, '}');
}

static void
add_body(struct text *json, const struct op *op)
{
	CLEANUP(cleanup_json) struct json_object *value = NULL;
	struct json_mistake mistake;
	size_t len;

	if (!op->body || !answer_is_json(op))
		return;
	CLEANUP_FREE char *body = answer_read_body(op, &len);
	if (body && json_parse(body, len, &value, &mistake) == 0) {
		text_add_string(json, ",\"responseBodyJson\":");
		text_add(json, body, len);
	}
}

static void
reply_monitor(struct http_request *request, struct op *op, struct fields *fields)
{
	CLEANUP(text_fini) struct text json = {0};
	const char *status = op_has_ended(op)	      ? "Complete"
			     : op->state == OP_QUEUED ? "Accepted"
						      : "In Progress";
	char id[ID_TEXT_SIZE];

	id_format(&op->id, id);
	text_addf(&json, "{\"data\":{\"attributes\":{\"id\":\"%s\",\"status\":\"%s\"", id, status);
	add_date(&json, "createdDate", op->accepted_ms);
	if (op_has_ended(op)) {
		add_date(&json, "completedDate", op->ended_ms);
		text_addf(&json, ",\"responseStatus\":%d", op->status);
		add_headers(&json, &op->fields);
		add_body(&json, op);
	}
	text_add_string(&json, "}}}");
	answer_put_common(fields, op);
	reply_json(request, 200, fields, &json);
}

static void
reply_response(struct http_request *request, struct op *op, struct fields *fields)
{
	if (op_has_ended(op)) {
		answer_final(request, op, fields, true);
		return;
	}
	answer_put_common(fields, op);
	put_location(fields, op);
	reply_bytes(request, 202, fields, NULL, 0);
}

static const char monitor_item[] =
	"{'parameters': [{'$ref': '#/components/parameters/operationId'}],"
	" 'get': {'summary': 'How an asynchronous request is',"
	"  'parameters': [{'$ref': '#/components/parameters/wait'}],"
	"  'responses': {"
	"   '200': {'description': 'Accepted, in progress or complete.', 'content': {'application/json': {"
	"    'schema': {'$ref': '#/components/schemas/AsyncRequest'}}}},"
	"   '404': {'$ref': '#/components/responses/NotFound'},"
	"   '410': {'$ref': '#/components/responses/Expired'}}}}";

static const char response_item[] =
	"{'parameters': [{'$ref': '#/components/parameters/operationId'}],"
	" 'get': {'summary': 'The final response of an asynchronous request'," STYLE_FINAL_RESPONSE;

static const char schemas[] =
	"{"
	"  'AsyncRequest': {'type': 'object', 'required': ['data'], 'properties': {"
	"   'data': {'type': 'object', 'required': ['attributes'], 'properties': {"
	"    'attributes': {'type': 'object', 'required': ['id', 'status', 'createdDate'], 'properties': {"
	"     'id': {'type': 'string', 'format': 'uuid'},"
	"     'status': {'enum': ['Accepted', 'In Progress', 'Complete']},"
	"     'createdDate': {'type': 'string', 'format': 'date-time'},"
	"     'completedDate': {'type': 'string', 'format': 'date-time'},"
	"     'responseStatus': {'type': 'integer'}, 'responseHeaders': {'type': 'object'},"
	"     'responseBodyJson': true}}}}}}}";

const struct style style_prefer = {
	.name = "prefer",
	.overload_status = 503,
	.asks = asks,
	.reply_accepted = reply_accepted,
	.put_fields = put_location,
	.monitors = {{.path = "/async/v1/requests/{id}",
			     .polls = HTTP_GET,
			     .cancels = HTTP_DELETE,
			     .reply = reply_monitor,
			     .item = monitor_item},
		{.path = "/async/v1/requests/{id}/response",
			.polls = HTTP_GET,
			.cancels = HTTP_DELETE,
			.reply = reply_response,
			.item = response_item}},
	.openapi = {.schemas = schemas},
};
