/* A call: parameters, body and responses of one method at one path. */
#include "common/text.h"
#include "config/config.h"
#include "config/pattern.h"
#include "openapi/parts.h"
#include "style/style.h"

#include <ctype.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What may be refused, and who is refused so. */
static const struct refusal {
	const char *status;
	const char *response;
	bool of_bodies, of_changes, of_items;
} refusals[] = {
	{.status = "400", .response = "BadRequest"},
	{.status = "401", .response = "Unauthorized"},
	{.status = "403", .response = "Forbidden"},
	{.status = "404", .response = "NotFound", .of_items = true},
	{.status = "410", .response = "Expired", .of_changes = true},
	{.status = "409", .response = "Conflict", .of_bodies = true, .of_items = true},
	{.status = "412", .response = "PreconditionFailed", .of_items = true, .of_changes = true},
	{.status = "413", .response = "ContentTooLarge", .of_bodies = true},
	{.status = "415", .response = "UnsupportedMediaType", .of_bodies = true},
	{.status = "422", .response = "KeyReused", .of_changes = true},
	{.status = "429", .response = "QueueFull"},
	{.status = "503", .response = "Unavailable"},
	{.status = "504", .response = "RunTimeout"},
};

static bool
is_safe(const char *method)
{
	return strcmp(method, "GET") == 0 || strcmp(method, "OPTIONS") == 0;
}

static struct json_object *
make_parameter(const char *name, const char *in, const char *description)
{
	struct json_object *parameter = openapi_parse("{'schema': {'type': 'string'}}");

	openapi_put_string(parameter, "name", name);
	openapi_put_string(parameter, "in", in);
	openapi_put(parameter, "required", json_object_new_boolean(true));
	if (description)
		openapi_put_string(parameter, "description", description);
	return parameter;
}

struct json_object *
openapi_path_parameters(const struct config_route *route)
{
	struct json_object *parameters = json_object_new_array();
	struct pattern_segment segment = {0};

	while (pattern_next(route->path, &segment)) {
		if (segment.kind == PATTERN_LITERAL)
			continue;
		const char *description =
			segment.kind == PATTERN_REST ? "All that follows, slashes as well." : NULL;
		char *name = xstrndup(segment.text, segment.len);
		openapi_append(parameters, make_parameter(name, "path", description));
		free(name);
	}
	return parameters;
}

static struct json_object *
make_parameters(const struct openapi_call *call)
{
	struct json_object *parameters = openapi_path_parameters(call->route);
	static const char *const of_lists[] = {"limit", "marker", "sortKey", "sortDir", "filter", NULL};
	bool is_required = call->route->idempotency_required;

	if (call->is_item)
		openapi_append(parameters, make_parameter("id", "path", NULL));
	for (char **name = call->route->query; name && *name; name++)
		openapi_append(parameters, make_parameter(*name, "query", NULL));
	for (const char *const *name = of_lists; call->is_list && *name; name++)
		openapi_append(parameters, openapi_ref("parameters", *name));
	openapi_append(parameters, openapi_ref("parameters", "prefer"));
	if (is_safe(call->method))
		return parameters;
	openapi_append(parameters, openapi_ref("parameters", "async"));
	openapi_append(parameters, openapi_ref("parameters", is_required ? "requiredKey" : "key"));
	if (call->is_item)
		openapi_append(parameters, openapi_ref("parameters", "ifMatch"));
	return parameters;
}

static struct json_object *
make_content(const char *type, struct json_object *schema)
{
	struct json_object *content = json_object_new_object();
	struct json_object *media = openapi_member(content, type);

	if (schema)
		openapi_put(media, "schema", schema);
	return content;
}

static struct json_object *
make_body(const struct openapi_call *call)
{
	struct json_object *body = json_object_new_object();
	char *const *types = call->route->request_types;

	if (call->is_json || !types) {
		openapi_put(body, "content",
			make_content(call->is_json ? "application/json" : "*/*", call->body));
		return body;
	}
	struct json_object *content = openapi_member(body, "content");
	for (; *types; types++)
		openapi_member(content, *types);
	return body;
}

/* The answer of a call that was synchronous, and of its operation once that has ended. */
static void
add_answer(struct json_object *responses, const struct openapi_call *call)
{
	char status[16] = "default";

	if (call->status)
		snprintf(status, sizeof status, "%d", call->status);
	struct json_object *answer = openapi_member(responses, status);
	openapi_put_string(answer, "description", call->status ? "It is done." : "What the work answers.");
	if (call->answer_type)
		openapi_put(answer, "content", make_content(call->answer_type, call->answer));
}

static void
add_accepted(struct json_object *responses, const struct openapi_call *call)
{
	/* A safe method is asynchronous only if the request asks for it. */
	const struct style *style = is_safe(call->method) ? NULL : call->route->style;
	const struct style_openapi *said = style ? &style->openapi : &(const struct style_openapi){0};
	const char *status = said->accepted_status ? said->accepted_status : "202";

	if (said->accepted_deletes && strcmp(call->method, "DELETE") == 0)
		openapi_put(responses, said->accepted_deletes_status,
			openapi_ref("responses", said->accepted_deletes));
	if (!call->accepted || is_safe(call->method)) {
		openapi_put(responses, status,
			openapi_ref("responses", said->accepted ? said->accepted : "Accepted"));
		json_object_put(call->accepted);
		return;
	}
	struct json_object *accepted = openapi_member(responses, status);
	openapi_put_string(accepted, "description", "It is kept, and being worked on; see the self link.");
	openapi_put(accepted, "content", make_content("application/json", call->accepted));
}

static void
add_refusals(struct json_object *responses, const struct openapi_call *call)
{
	bool is_change = !is_safe(call->method);

	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		const struct refusal *refusal = &refusals[i];
		if ((refusal->of_bodies && !call->has_body) || (refusal->of_changes && !is_change) ||
			(refusal->of_items && !call->is_item))
			continue;
		openapi_put(responses, refusal->status, openapi_ref("responses", refusal->response));
	}
	if (call->status)
		openapi_put(responses, "default", openapi_ref("responses", "Problem"));
}

void
openapi_add_call(struct json_object *paths, const struct openapi_call *call)
{
	char *path = openapi_path(call->route, call->is_item ? "/{id}" : ""), *method = xstrdup(call->method);

	for (char *c = method; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	struct json_object *operation = openapi_member(openapi_member(paths, path), method);
	openapi_put_string(operation, "summary", call->summary);
	openapi_put(operation, "parameters", make_parameters(call));
	if (call->has_body)
		openapi_put(operation, "requestBody", make_body(call));
	struct json_object *responses = openapi_member(operation, "responses");
	add_answer(responses, call);
	add_accepted(responses, call);
	add_refusals(responses, call);
	free(method);
	free(path);
}
