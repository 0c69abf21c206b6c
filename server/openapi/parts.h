/* What the parts of the document share; inside this layer only. */
#pragma once

#include <stdbool.h>

struct config;
struct config_route;
struct json_object;
struct style;

/*
 * A value from a text of ours: JSON with ' in place of ".  What comes from a configuration never stands in
 * such a text.
 */
struct json_object *openapi_parse(const char *text);

/* Takes value over, into an object or at the end of an array. */
void openapi_put(struct json_object *object, const char *name, struct json_object *value);
void openapi_put_string(struct json_object *object, const char *name, const char *value);
void openapi_append(struct json_object *array, struct json_object *value);

/* The object called name in object; made if there is none; lent. */
struct json_object *openapi_member(struct json_object *object, const char *name);

/* {"$ref": "#/components/KIND/NAME"} */
struct json_object *openapi_ref(const char *kind, const char *name);

/* The route's path with its base path and suffix, "{rest...}" as "{rest}" (malloc'ed). */
char *openapi_path(const struct config_route *route, const char *suffix);

/* An array of the parameters in the route's path, the caller's. */
struct json_object *openapi_path_parameters(const struct config_route *route);

/* The name that the route's schema has among components/schemas; no two routes have the same (malloc'ed). */
char *openapi_schema_name(const struct config_route *route);

/* One call, and what of it the kinds of work say differently.  The schemas are taken over. */
struct openapi_call {
	const struct config_route *route;
	const char *method;	      /* "POST" */
	const char *summary;	      /* a phrase */
	bool has_body;		      /* a body is sent */
	bool is_json;		      /* the body is JSON */
	bool is_item;		      /* of one item of a collection, whose id is behind the route's path */
	bool is_list;		      /* of a collection's items */
	struct json_object *body;     /* schema of the body; NULL: any */
	int status;		      /* of the synchronous answer; 0: the work says it */
	const char *answer_type;      /* its media type; NULL: there is no body, or the work says it */
	struct json_object *answer;   /* its schema; NULL: any */
	struct json_object *accepted; /* schema of the 202 in the route's style; NULL: the style's own */
};

/* Adds the call to paths. */
void openapi_add_call(struct json_object *paths, const struct openapi_call *call);

/* Adds the calls of a route over a collection, and the schemas of its items. */
void openapi_add_collection(
	struct json_object *paths, struct json_object *schemas, const struct config_route *route);

/* Adds the monitors that the routes of config have, and components that everything shares. */
void openapi_add_monitors(
	struct json_object *paths, const struct config *config, const struct style *const *styles);
struct json_object *openapi_components(const struct config *config, const struct style *const *styles);
