/* The monitors, at which operations are polled and cancelled, and the components that every part of the
 * document shares. */
#include "common/text.h"
#include "config/config.h"
#include "openapi/parts.h"

#include <json-c/json.h>
#include <stdlib.h>

static const char cancel[] = "{'summary': 'Cancel',"
			     " 'responses': {"
			     "  '202': {'description': 'It is being stopped.'},"
			     "  '204': {'description': 'It is cancelled.'},"
			     "  '404': {'$ref': '#/components/responses/NotFound'},"
			     "  '409': {'$ref': '#/components/responses/AlreadyEnded'},"
			     "  '410': {'$ref': '#/components/responses/Expired'}}}";

/* The rest of a monitor that answers with the final response. */
#define FINAL_RESPONSE \
	"  'parameters': [{'$ref': '#/components/parameters/wait'}]," \
	"  'responses': {" \
	"   '202': {'$ref': '#/components/responses/Accepted'}," \
	"   '404': {'$ref': '#/components/responses/NotFound'}," \
	"   '410': {'$ref': '#/components/responses/Expired'}," \
	"   'default': {'description': 'The final response of the call, exactly.'}}}}"

static const char operation_item[] =
	"{'parameters': [{'$ref': '#/components/parameters/operationId'}],"
	" 'get': {'summary': 'The final response, once it is there'," FINAL_RESPONSE;

static const char status_item[] =
	"{'parameters': [{'$ref': '#/components/parameters/operationId'}],"
	" 'get': {'summary': 'How an operation is',"
	"  'parameters': [{'$ref': '#/components/parameters/wait'}],"
	"  'responses': {"
	"   '200': {'description': 'Running, or how it ended.', 'content': {'application/json': {"
	"    'schema': {'$ref': '#/components/schemas/OperationStatus'}}}},"
	"   '404': {'$ref': '#/components/responses/NotFound'},"
	"   '410': {'$ref': '#/components/responses/Expired'}}}}";

static const char request_item[] =
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
	" 'get': {'summary': 'The final response of an asynchronous request'," FINAL_RESPONSE;

static const char poll_item[] =
	"{'get': {'summary': 'How the operation of a token is',"
	"  'parameters': ["
	"   {'name': 'asyncOperationToken', 'in': 'query', 'required': true, 'schema': {'type': 'string'}},"
	"   {'$ref': '#/components/parameters/wait'}],"
	"  'responses': {"
	"   '200': {'description': 'In every state.', 'content': {'application/json': {"
	"    'schema': {'$ref': '#/components/schemas/AsyncOperation'}}}},"
	"   '400': {'$ref': '#/components/responses/BadRequest'}}}}";

static const char components[] =
	"{'schemas': {"
	"  'Problem': {'type': 'object', 'required': ['type', 'title', 'status'], 'properties': {"
	"   'type': {'type': 'string', 'format': 'uri-reference'}, 'title': {'type': 'string'},"
	"   'status': {'type': 'integer'}, 'detail': {'type': 'string'},"
	"   'instance': {'type': 'string', 'format': 'uri-reference'},"
	"   'operation_status': {'type': 'integer'},"
	"   'errors': {'type': 'array', 'items': {'type': 'object', 'properties': {"
	"    'pointer': {'type': 'string', 'format': 'json-pointer'}, 'keyword': {'type': 'string'},"
	"    'message': {'type': 'string'}}}}}},"
	"  'Progress': {'type': 'object', 'required': ['progress'],"
	"   'properties': {'progress': {'enum': ['IN_QUEUE', 'IN_PROGRESS']}}},"
	"  'OperationStatus': {'type': 'object', 'required': ['id', 'operationId', 'status', 'resource', "
	"'resourceUrl'],"
	"   'properties': {"
	"    'id': {'type': 'string', 'format': 'uuid'}, 'operationId': {'type': 'string', 'format': 'uuid'},"
	"    'status': {'enum': ['RUNNING', 'SUCCESS', 'FAILED']},"
	"    'resource': {'type': 'string', 'format': 'uri'}, 'resourceUrl': {'type': ['string', 'null']},"
	"    'msg': {'type': 'string'}, 'progress': {'type': 'integer', 'minimum': 0, 'maximum': 100},"
	"    'additionalParameters': {'type': 'array'}}},"
	"  'AsyncOperation': {'type': 'object', 'required': ['asyncOperation'], 'properties': {"
	"   'asyncOperation': {'type': 'object', 'required': ['token', 'status'], 'properties': {"
	"    'token': {'type': 'string'},"
	"    'status': {'enum': ['IN_PROGRESS', 'READY', 'EXPIRED', 'NOT_FOUND']},"
	"    'result': true, 'resultStatus': {'type': 'integer'}, 'resultEncoding': {'const': 'base64'}}}}},"
	"  'AsyncRequest': {'type': 'object', 'required': ['data'], 'properties': {"
	"   'data': {'type': 'object', 'required': ['attributes'], 'properties': {"
	"    'attributes': {'type': 'object', 'required': ['id', 'status', 'createdDate'], 'properties': {"
	"     'id': {'type': 'string', 'format': 'uuid'},"
	"     'status': {'enum': ['Accepted', 'In Progress', 'Complete']},"
	"     'createdDate': {'type': 'string', 'format': 'date-time'},"
	"     'completedDate': {'type': 'string', 'format': 'date-time'},"
	"     'responseStatus': {'type': 'integer'}, 'responseHeaders': {'type': 'object'},"
	"     'responseBodyJson': true}}}}}}},"
	" 'parameters': {"
	"  'operationId': {'name': 'id', 'in': 'path', 'required': true, 'schema': {'type': 'string', "
	"'format': 'uuid'}},"
	"  'async': {'name': 'async', 'in': 'query', 'description': 'true: 202 and a Location to poll; "
	"false: synchronous.',"
	"   'schema': {'type': 'boolean'}},"
	"  'prefer': {'name': 'Prefer', 'in': 'header',"
	"   'description': 'RFC 7240: respond-async for a 202; wait=T, or wait-ms=T, for the response itself "
	"if it is there by then.',"
	"   'schema': {'type': 'string'}},"
	"  'wait': {'name': 'Prefer', 'in': 'header', 'description': 'wait=T holds the answer until the "
	"operation ends or T seconds are over.',"
	"   'schema': {'type': 'string'}},"
	"  'key': {'name': 'Idempotency-Key', 'in': 'header', 'description': 'A call repeated with it joins "
	"the first one.',"
	"   'schema': {'type': 'string', 'maxLength': 255}},"
	"  'requiredKey': {'name': 'Idempotency-Key', 'in': 'header', 'required': true,"
	"   'description': 'A call repeated with it joins the first one.', 'schema': {'type': 'string', "
	"'maxLength': 255}},"
	"  'ifMatch': {'name': 'If-Match', 'in': 'header', 'schema': {'type': 'string'}},"
	"  'limit': {'name': 'limit', 'in': 'query', 'schema': {'type': 'integer', 'minimum': 1, 'default': "
	"20}},"
	"  'marker': {'name': 'marker', 'in': 'query', 'description': 'The id of the last item seen.', "
	"'schema': {'type': 'string'}},"
	"  'sortKey': {'name': 'sort_key', 'in': 'query', 'schema': {'type': 'string'}},"
	"  'sortDir': {'name': 'sort_dir', 'in': 'query', 'schema': {'enum': ['asc', 'desc']}},"
	"  'filter': {'name': 'filter', 'in': 'query', 'style': 'form', 'explode': true,"
	"   'description': 'Any other parameter filters on the member of that name; * is a wildcard.',"
	"   'schema': {'type': 'object', 'additionalProperties': {'type': 'string'}}}},"
	" 'headers': {"
	"  'Monitor': {'description': 'Where the operation is polled.', 'schema': {'type': 'string', "
	"'format': 'uri-reference'}},"
	"  'RetryAfter': {'description': 'Seconds.', 'schema': {'type': 'integer', 'minimum': 1}}}}";

static const char accepted[] =
	"{"
	"  'Accepted': {'description': 'It is kept, and waits or runs; poll the Location, or with Prefer the "
	"GW-Async-Location.',"
	"   'headers': {'Location': {'$ref': '#/components/headers/Monitor'},"
	"    'GW-Async-Location': {'$ref': '#/components/headers/Monitor'},"
	"    'Retry-After': {'$ref': '#/components/headers/RetryAfter'}},"
	"   'content': {'application/json': {'schema': {'$ref': '#/components/schemas/Progress'}}}},"
	"  'AcceptedStatus': {'description': 'It is kept, and waits or runs; poll the Location.',"
	"   'headers': {'Location': {'$ref': '#/components/headers/Monitor'},"
	"    'Retry-After': {'$ref': '#/components/headers/RetryAfter'}},"
	"   'content': {'application/json': {'schema': {'$ref': '#/components/schemas/OperationStatus'}}}},"
	"  'AcceptedDelete': {'description': 'The deletion is kept, and goes on in the background; poll the "
	"Location.',"
	"   'headers': {'Location': {'$ref': '#/components/headers/Monitor'}}},"
	"  'AcceptedToken': {'description': 'It is kept, and waits or runs; poll with the token.',"
	"   'headers': {'Retry-After': {'$ref': '#/components/headers/RetryAfter'}},"
	"   'content': {'application/json': {'schema': {'$ref': '#/components/schemas/AsyncOperation'}}}}}";

static const char refusals[] =
	"{'BadRequest': '400: the request, a parameter, the JSON or what the schema says of it is wrong.',"
	" 'Unauthorized': '401: authentication is required.',"
	" 'Forbidden': '403: this caller may not do that.',"
	" 'NotFound': '404: there is nothing here.',"
	" 'AlreadyEnded': '409: the operation has ended already.',"
	" 'Conflict': '409: a unique member is taken, or the item is being deleted.',"
	" 'Expired': '410: the result is no longer kept, or the operation was cancelled.',"
	" 'PreconditionFailed': '412: If-Match does not hold.',"
	" 'ContentTooLarge': '413: the body is too large.',"
	" 'UnsupportedMediaType': '415: the media type of the body is not taken.',"
	" 'KeyReused': '422: the Idempotency-Key was used for another request.',"
	" 'QueueFull': '429: the queue is full; see Retry-After.',"
	" 'Unavailable': '503: the server has as much work as it takes, or the call waited too long; see "
	"Retry-After.',"
	" 'RunTimeout': '504: the work ran too long and was stopped.',"
	" 'Problem': 'Any other refusal or failure.'}";

static const struct monitor {
	const char *path; /* behind the base path */
	const char *item;
	bool may_cancel;
} monitors[] = {
	{"/operations/{id}", operation_item, true},
	{"/v1/operationStatus/{id}", status_item, true},
	{"/async/v1/requests/{id}", request_item, true},
	{"/async/v1/requests/{id}/response", response_item, false},
};

static void
add_monitor(struct json_object *paths, const char *base_path, const struct monitor *monitor)
{
	char *path = xasprintf("%s%s", base_path, monitor->path);
	struct json_object *item = openapi_parse(monitor->item);

	if (monitor->may_cancel)
		openapi_put(item, "delete", openapi_parse(cancel));
	openapi_put(paths, path, item); /* again the same where two routes share a base path */
	free(path);
}

void
openapi_add_monitors(struct json_object *paths, const struct config *config)
{
	for (size_t i = 0; i < sizeof monitors / sizeof *monitors; i++) {
		add_monitor(paths, "", &monitors[i]);
		for (size_t j = 0; j < config->route_count; j++)
			add_monitor(paths, config->routes[j].base_path, &monitors[i]);
	}
	for (size_t i = 0; i < config->route_count; i++) {
		if (config->routes[i].style != CONFIG_TOKEN)
			continue;
		char *path = openapi_path(&config->routes[i], "/poll");
		struct json_object *item = openapi_parse(poll_item);
		struct json_object *parameters = openapi_path_parameters(&config->routes[i]);
		if (json_object_array_length(parameters) > 0)
			openapi_put(item, "parameters", parameters);
		else
			json_object_put(parameters);
		openapi_put(paths, path, item);
		free(path);
	}
}

static void
add_refusals(struct json_object *responses)
{
	struct json_object *sentences = openapi_parse(refusals);

	json_object_object_foreach(sentences, name, sentence)
	{
		struct json_object *response =
			openapi_parse("{'content': {'application/problem+json': {'schema': "
				      "{'$ref': '#/components/schemas/Problem'}}}}");
		openapi_put(response, "description", json_object_get(sentence));
		openapi_put(responses, name, response);
	}
	json_object_put(sentences);
}

static void
add_security_schemes(struct json_object *schemes, const struct config *config)
{
	if (config->auth_basic)
		openapi_put(schemes, "basic", openapi_parse("{'type': 'http', 'scheme': 'basic'}"));
	if (config->auth_bearer)
		openapi_put(schemes, "bearer", openapi_parse("{'type': 'http', 'scheme': 'bearer'}"));
	for (size_t i = 0; i < config->listen_count; i++)
		if (config->listen[i].tls_client_ca)
			openapi_put(schemes, "certificate", openapi_parse("{'type': 'mutualTLS'}"));
}

struct json_object *
openapi_components(const struct config *config)
{
	struct json_object *shared = openapi_parse(components), *responses = openapi_parse(accepted);

	add_refusals(responses);
	openapi_put(shared, "responses", responses);
	add_security_schemes(openapi_member(shared, "securitySchemes"), config);
	return shared;
}
