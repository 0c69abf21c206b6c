/* Converts a route's collection and schema settings into the objects of the store and of the styles. */
#pragma once

struct config;
struct config_route;
struct schema;
struct store_collection;

/* Returns the collection of a collection route; the reference is the caller's. */
struct store_collection *route_collection_new(const struct config *config, const struct config_route *route);

/* Compiles the route's schema, and the same schema with a low limit of steps for validation on the loop.  Both are
 * NULL if the route has no schema.  Returns 0, or -EINVAL if the schema is invalid, which the configuration check
 * has refused before. */
__attribute__((warn_unused_result)) int route_schemas_new(
	const struct config_route *config, struct schema **ret_schema, struct schema **ret_quick);

/* Returns the names of the schema's members, ended by NULL (free with string_list_free), or NULL if the schema
 * does not list them. */
char **route_members_new(const struct config_route *config);
