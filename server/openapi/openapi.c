/* The OpenAPI document as a whole. */
#include "openapi/openapi.h"
#include "common/text.h"
#include "config/config.h"
#include "openapi/parts.h"

#include <assert.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Adds the route's schema with an identifier of its own, so that "#/$defs/x" in it means itself and not the
 * document. */
static void
add_schema(struct json_object *schemas, const struct config_route *route)
{
	struct json_object *schema = NULL;
	char *name = openapi_schema_name(route), *id = xasprintf("urn:deferd:%s", name);
	int error = json_object_deep_copy(route->schema, &schema, NULL);

	assert(error == 0);
	if (json_object_is_type(schema, json_type_object) && !json_object_object_get(schema, "$id"))
		openapi_put_string(schema, "$id", id);
	openapi_put(schemas, name, schema);
	free(id);
	free(name);
}

static bool
has_body(const char *method)
{
	return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0;
}

/* The calls of a program or an upstream: what they answer is theirs to say, but for a filter. */
static void
add_calls(struct json_object *paths, const struct config_route *route)
{
	bool is_filter = route->work == CONFIG_PROGRAM && route->program.protocol == PROGRAM_FILTER;
	const char *type = route->program.response_type;
	char *name = openapi_schema_name(route);

	for (char **method = route->methods; *method; method++) {
		struct openapi_call call = {
			.route = route,
			.method = *method,
			.summary = route->work == CONFIG_PROGRAM ? "Run a program" : "Call a service",
			.has_body = has_body(*method),
			.is_json = route->schema,
			.status = is_filter ? 200 : 0,
		};
		if (strcmp(*method, "HEAD") == 0)
			continue;
		if (route->schema && call.has_body)
			call.body = openapi_ref("schemas", name);
		if (is_filter)
			call.answer_type = type ? type : "application/octet-stream";
		openapi_add_call(paths, &call);
	}
	free(name);
}

/* Any one of them lets a caller in. */
static void
add_security(struct json_object *document, struct json_object *schemes)
{
	struct json_object *security = json_object_new_array();

	json_object_object_foreach(schemes, name, scheme)
	{
		struct json_object *one = json_object_new_object();
		openapi_put(one, name, json_object_new_array());
		openapi_append(security, one);
	}
	openapi_put(document, "security", security);
}

static void
add_server(struct json_object *document, const struct config *config)
{
	struct json_object *servers = json_object_new_array(), *server = json_object_new_object();

	openapi_put_string(server, "url", config->public_url ? config->public_url : "/");
	openapi_append(servers, server);
	openapi_put(document, "servers", servers);
}

struct json_object *
openapi_document(const struct config *config, const struct style *const *styles)
{
	struct json_object *document = openapi_parse("{'openapi': '3.1.0', 'info': {'title': 'deferd'}}");
	struct json_object *components = openapi_components(config, styles);
	struct json_object *schemas = openapi_member(components, "schemas");

	openapi_put_string(openapi_member(document, "info"), "version", DEFERD_VERSION);
	add_server(document, config);
	add_security(document, openapi_member(components, "securitySchemes"));
	struct json_object *paths = openapi_member(document, "paths");
	for (size_t i = 0; i < config->route_count; i++) {
		const struct config_route *route = &config->routes[i];
		if (route->schema)
			add_schema(schemas, route);
		if (route->work == CONFIG_COLLECTION)
			openapi_add_collection(paths, schemas, route);
		else
			add_calls(paths, route);
	}
	openapi_add_monitors(paths, config, styles);
	openapi_put(document, "components", components);
	return document;
}
