/* What a route of the configuration says of a collection and of bodies, made into what the layers below
 * want. */
#pragma once

struct config;
struct config_route;
struct schema;
struct store_collection;

/* Returns the collection of a collection route; the reference is the caller's. */
struct store_collection *route_collection_new(const struct config *config, const struct config_route *route);

/* The route's schema, and the same with few steps, for what is judged on the loop; NULL where there is none.
 * -EINVAL if it is none, which the configuration has looked at. */
__attribute__((warn_unused_result)) int route_schemas_new(
	const struct config_route *config, struct schema **ret_schema, struct schema **ret_quick);

/* Names of the members that the schema knows, ended by NULL, for route_members_free; NULL: it does not
 * say. */
char **route_members_new(const struct config_route *config);
void route_members_free(char **members);
