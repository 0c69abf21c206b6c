/* The monitors, at which operations are polled and cancelled, and the components that every part of the
 * document shares. */
#include "common/text.h"
#include "config/config.h"
#include "http/router.h"
#include "openapi/parts.h"
#include "style/style.h"

#include <json-c/json.h>
#include <stdlib.h>

static const char cancel[] = "{'summary': 'Cancel',"
			     " 'responses': {"
			     "  '202': {'description': 'It is being stopped.'},"
			     "  '204': {'description': 'It is cancelled.'},"
			     "  '404': {'$ref': '#/components/responses/NotFound'},"
			     "  '409': {'$ref': '#/components/responses/AlreadyEnded'},"
			     "  '410': {'$ref': '#/components/responses/Expired'}}}";

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
	"   'properties': {'progress': {'enum': ['IN_QUEUE', 'IN_PROGRESS']}}}},"
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
	"   'content': {'application/json': {'schema': {'$ref': '#/components/schemas/Progress'}}}}}";

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

/* Adds a monitor to the item of path, which other monitors or calls may have as well. */
static void
add_monitor(struct json_object *paths, const char *path, const struct style_monitor *monitor,
	struct json_object *parameters)
{
	struct json_object *item = openapi_member(paths, path), *own = openapi_parse(monitor->item);

	json_object_object_foreach(own, name, value)
	{
		openapi_put(item, name, json_object_get(value));
	}
	json_object_put(own);
	if (monitor->cancels & HTTP_DELETE)
		openapi_put(item, "delete", openapi_parse(cancel));
	if (parameters && json_object_array_length(parameters) > 0)
		openapi_put(item, "parameters", parameters);
	else
		json_object_put(parameters);
}

/* Adds the monitors of a style below a base path. */
static void
add_monitors(struct json_object *paths, const char *base_path, const struct style *style)
{
	for (const struct style_monitor *monitor = style->monitors; monitor->path; monitor++) {
		char *path = xasprintf("%s%s", base_path, monitor->path);
		if (monitor->item)
			add_monitor(paths, path, monitor, NULL);
		free(path);
	}
}

/* Adds the monitors that the route's style has below it. */
static void
add_below(struct json_object *paths, const struct config_route *route)
{
	for (const struct style_monitor *monitor = route->style->below; monitor->path; monitor++) {
		char *path = openapi_path(route, monitor->path);
		if (monitor->item)
			add_monitor(paths, path, monitor, openapi_path_parameters(route));
		free(path);
	}
}

void
openapi_add_monitors(
	struct json_object *paths, const struct config *config, const struct style *const *styles)
{
	for (const struct style *const *style = styles; *style; style++) {
		add_monitors(paths, "", *style);
		for (size_t i = 0; i < config->route_count; i++)
			add_monitors(paths, config->routes[i].base_path, *style);
	}
	for (size_t i = 0; i < config->route_count; i++)
		if (config->routes[i].style)
			add_below(paths, &config->routes[i]);
}

/* Adds the members of an object in a text, NULL if there is none. */
static void
add_members(struct json_object *object, const char *text)
{
	struct json_object *members = text ? openapi_parse(text) : NULL;

	if (!members)
		return;
	json_object_object_foreach(members, name, value)
	{
		openapi_put(object, name, json_object_get(value));
	}
	json_object_put(members);
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
openapi_components(const struct config *config, const struct style *const *styles)
{
	struct json_object *shared = openapi_parse(components), *responses = openapi_parse(accepted);

	add_refusals(responses);
	for (; *styles; styles++) {
		add_members(responses, (*styles)->openapi.responses);
		add_members(openapi_member(shared, "schemas"), (*styles)->openapi.schemas);
	}
	openapi_put(shared, "responses", responses);
	add_security_schemes(openapi_member(shared, "securitySchemes"), config);
	return shared;
}
