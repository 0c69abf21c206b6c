/* Style `prefer` (Guidewire Cloud API): Prefer: respond-async, a request resource and its response (contract,
 * 5.5). */
#include "calls/call/answer.h"
#include "calls/call/preference.h"
#include "calls/call/route.h"
#include "calls/monitor/envelope.h"
#include "calls/monitor/monitor.h"
#include "common/cleanup.h"
#include "http/message/reply.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

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
reply_accepted(struct http_request *request, struct styles *styles, struct op *op, struct fields *fields)
{
	answer_put_accepted(fields, request, op);
	put_location(fields, op);
	answer_put_url(fields, "Location", request, "/operations/", op, "");
	reply_bytes(request, 202, fields, NULL, 0);
}
/* A field and its place among the fields. */
struct placed {
	struct field field;
	size_t place;
};

static int
compare_names(const struct field *a, const struct field *b)
{
	int order = strncasecmp(a->name, b->name, a->name_len < b->name_len ? a->name_len : b->name_len);

	return order != 0 ? order : (a->name_len > b->name_len) - (a->name_len < b->name_len);
}

/* By name, then as they came. */
static int
compare_placed(const void *a, const void *b)
{
	const struct placed *left = a, *right = b;
	int order = compare_names(&left->field, &right->field);

	return order != 0 ? order : (left->place > right->place) - (left->place < right->place);
}

/* Sorts the fields of a final response, so that namesakes stand together.  Returns their number, and the fields for the
 * caller to free. */
static size_t
sort_fields(const struct fields *fields, struct placed **ret_sorted)
{
	size_t count = 0;

	fields_for_each(field, fields)
		count++;
	struct placed *sorted = xcalloc(count + 1, sizeof *sorted);
	count = 0;
	fields_for_each(field, fields) {
		sorted[count] = (struct placed){.field = field, .place = count};
		count++;
	}
	qsort(sorted, count, sizeof *sorted, compare_placed);
	*ret_sorted = sorted;
	return count;
}

/* Adds the values of the first count fields, joined. */
static void
add_values(struct text *json, const struct placed *first, size_t count)
{
	CLEANUP(text_fini) struct text joined = {0};

	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			text_add_string(&joined, ", ");
		text_add(&joined, first[i].field.value, first[i].field.value_len);
	}
	text_add_json_bytes(json, joined.data, joined.len);
}

/* Adds the header fields as an object, repeated ones joined.  Their bytes need not be UTF-8. */
static void
add_headers(struct text *json, const struct fields *fields)
{
	CLEANUP_FREE struct placed *sorted = NULL;
	size_t count = sort_fields(fields, &sorted), next;

	text_add_string(json, ",\"responseHeaders\":{");
	for (size_t at = 0; at < count; at = next) {
		const struct field *field = &sorted[at].field;
		for (next = at + 1; next < count && compare_names(field, &sorted[next].field) == 0;)
			next++;
		if (at > 0)
			text_add_char(json, ',');
		text_add_json_bytes(json, field->name, field->name_len);
		text_add_char(json, ':');
		add_values(json, &sorted[at], next - at);
	}
	text_add_char(json, '}');
}

static const char *
status_of(const struct op *op)
{
	return op_has_ended(op) ? "Complete" : op->state == OP_QUEUED ? "Accepted" : "In Progress";
}

static void
add_attributes(struct text *json, const struct op *op)
{
	char id[ID_TEXT_SIZE];

	id_format(&op->id, id);
	text_addf(json, "{\"data\":{\"attributes\":{\"id\":\"%s\",\"status\":\"%s\"", id, status_of(op));
	answer_add_date(json, "createdDate", op->accepted_ms);
}

static void
write_complete(const struct http_request *request, const struct op *op, enum body_form form,
	struct text *ret_head, struct text *ret_tail)
{
	(void)request;
	add_attributes(ret_head, op);
	answer_add_date(ret_head, "completedDate", op->ended_ms);
	text_addf(ret_head, ",\"responseStatus\":%d", op->status);
	add_headers(ret_head, &op->fields);
	if (form == BODY_OBJECT || form == BODY_JSON)
		text_add_string(ret_head, ",\"responseBodyJson\":");
	text_add_string(ret_tail, "}}}");
}

static const struct envelope complete_envelope = {.status = 200, .write = write_complete};

static void
reply_monitor(struct http_request *request, struct styles *styles, struct op *op, struct fields *fields)
{
	CLEANUP(text_fini) struct text json = {0};

	if (op_has_ended(op)) {
		envelope_reply(request, styles, op, fields, &complete_envelope);
		return;
	}
	add_attributes(&json, op);
	text_add_string(&json, "}}}");
	answer_put_poll(fields, op);
	reply_json(request, 200, fields, &json);
}

static void
reply_response(struct http_request *request, struct styles *styles, struct op *op, struct fields *fields)
{
	if (op_has_ended(op)) {
		answer_final(request, op, fields, true);
		return;
	}
	answer_put_poll(fields, op);
	answer_put_url(fields, "Content-Location", request, "/operations/", op, "");
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
	.words = {.field = "Prefer: respond-async",
		.accepted = "GW-Async-Location is where the request is polled"},
};
