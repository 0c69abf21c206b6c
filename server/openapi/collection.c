/* Collections: the schemas of their items, and the calls on a collection and on an item. */
#include "common/text.h"
#include "config/config.h"
#include "openapi/parts.h"
#include "style/style.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

static const char server_members[] =
	"{'type': 'object', 'required': ['id', 'status', 'action', 'version', 'created_at', 'updated_at', "
	"'links'],"
	" 'properties': {"
	"  'id': {'type': 'string', 'format': 'uuid', 'readOnly': true},"
	"  'status': {'enum': ['PENDING', 'ACTIVE', 'ERROR'], 'readOnly': true},"
	"  'action': {'enum': ['CREATE', 'UPDATE', 'DELETE', 'NONE'], 'readOnly': true},"
	"  'version': {'type': 'integer', 'minimum': 1, 'readOnly': true},"
	"  'created_at': {'type': 'string', 'format': 'date-time', 'readOnly': true},"
	"  'updated_at': {'type': ['string', 'null'], 'format': 'date-time', 'readOnly': true},"
	"  'status_message': {'type': ['string', 'null'], 'readOnly': true},"
	"  'links': {'type': 'object', 'readOnly': true, 'properties': {'self': {'type': 'string', 'format': "
	"'uri'}}}}}";

static const char list_frame[] = "{'type': 'object', 'required': ['links', 'metadata'], 'properties': {"
				 "  'links': {'type': 'object', 'properties': {'self': {'type': 'string'}, "
				 "'next': {'type': 'string'}}},"
				 "  'metadata': {'type': 'object', 'properties': {'total_count': {'type': "
				 "'integer', 'minimum': 0}}}}}";

/* Wraps schema in the envelope, from the inside out. */
static struct json_object *
wrap(const struct config_collection *collection, struct json_object *schema)
{
	size_t depth = 0;

	while (collection->envelope && collection->envelope[depth])
		depth++;
	while (depth--) {
		struct json_object *outer = openapi_parse("{'type': 'object'}");
		struct json_object *required = json_object_new_array();
		openapi_append(required, json_object_new_string(collection->envelope[depth]));
		openapi_put(outer, "required", required);
		openapi_put(openapi_member(outer, "properties"), collection->envelope[depth], schema);
		schema = outer;
	}
	return schema;
}

static struct json_object *
make_ref(const struct config_collection *collection, const char *suffix)
{
	char *name = xasprintf("%s.%s", collection->name, suffix);
	struct json_object *ref = openapi_ref("schemas", name);

	free(name);
	return ref;
}

static void
add_schema(struct json_object *schemas, const struct config_collection *collection, const char *suffix,
	struct json_object *schema)
{
	char *name = xasprintf("%s.%s", collection->name, suffix);

	openapi_put(schemas, name, schema);
	free(name);
}

/* NAME.item is the whole representation; NAME.list a page of them.  NAME.members is the route's schema. */
static void
add_schemas(struct json_object *schemas, const struct config_route *route)
{
	const struct config_collection *collection = &route->collection;
	struct json_object *item = json_object_new_object(), *both = json_object_new_array();
	struct json_object *list = openapi_parse(list_frame);

	openapi_append(both, openapi_parse(server_members));
	if (route->schema)
		openapi_append(both, make_ref(collection, "members"));
	openapi_put(item, "allOf", both);
	add_schema(schemas, collection, "item", wrap(collection, item));

	struct json_object *items = openapi_parse("{'type': 'array'}");
	openapi_put(items, "items", make_ref(collection, "item"));
	openapi_put(openapi_member(list, "properties"), collection->name, items);
	add_schema(schemas, collection, "list", list);
}

/* The body of a create or PUT.  A PATCH is merged first, so that its body alone need not match. */
static struct json_object *
make_body(const struct config_route *route)
{
	struct json_object *members =
		route->schema ? make_ref(&route->collection, "members") : openapi_parse("{'type': 'object'}");

	return wrap(&route->collection, members);
}

static const struct call_kind {
	const char *method, *summary;
	int status; /* 0: the collection's delete_status */
	bool has_body, is_item, is_list, is_patch;
} kinds[] = {
	{.method = "GET", .summary = "List", .status = 200, .is_list = true},
	{.method = "POST", .summary = "Create", .status = 201, .has_body = true},
	{.method = "GET", .summary = "Read", .status = 200, .is_item = true},
	{.method = "PUT", .summary = "Replace", .status = 200, .has_body = true, .is_item = true},
	{.method = "PATCH",

		.summary = "Merge (RFC 7396)",
		.status = 200,
		.has_body = true,
		.is_item = true,
		.is_patch = true},
	{.method = "DELETE", .summary = "Delete", .is_item = true},
};

static bool
has_method(const struct config_route *route, const char *name)
{
	for (char **method = route->methods; *method; method++)
		if (strcmp(*method, name) == 0)
			return true;
	return false;
}

static void
add_call(struct json_object *paths, const struct config_route *route, const struct call_kind *kind)
{
	const struct config_collection *collection = &route->collection;
	struct openapi_call call = {
		.route = route,
		.method = kind->method,
		.summary = kind->summary,
		.has_body = kind->has_body,
		.is_json = true,
		.is_item = kind->is_item,
		.is_list = kind->is_list,
		.status = kind->status ? kind->status : collection->delete_status,
	};

	if (kind->is_patch)
		call.body = wrap(collection, openapi_parse("{'type': 'object'}"));
	else if (kind->has_body)
		call.body = make_body(route);
	if (call.status != 204) {
		call.answer_type = "application/json";
		call.answer = make_ref(collection, kind->is_list ? "list" : "item");
	}
	if (route->style && route->style->is_of_collections)
		call.accepted = make_ref(collection, "item");
	openapi_add_call(paths, &call);
}

void
openapi_add_collection(
	struct json_object *paths, struct json_object *schemas, const struct config_route *route)
{
	add_schemas(schemas, route);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (has_method(route, kinds[i].method))
			add_call(paths, route, &kinds[i]);
}
