/* A route as its calls see it: references, the dialect of its problems, and who may call it. */
#include "calls/call/route.h"

#include "common/schema/schema.h"
#include "common/string_list.h"
#include "operations/operations.h"
#include "store/resources.h"

#include <stdlib.h>
#include <string.h>

enum problem_dialect
style_route_dialect(const struct style_route *route)
{
	return route->config.style ? route->config.style->dialect : PROBLEM_PLAIN;
}

bool
style_route_may_call(const struct style_route *route, const struct http_request *request)
{
	char **users = route->config.users;

	if (!users)
		return true;
	for (; request->principal && *users; users++)
		if (strcmp(*users, request->principal) == 0)
			return true;
	return false;
}

struct style_route *
style_route_ref(struct style_route *route)
{
	route->references++;
	return route;
}

void
style_route_unref(struct style_route *route)
{
	if (!route || --route->references > 0)
		return;
	op_route_set_judge(route->config.op_route, NULL, NULL);
	op_route_unref(route->config.op_route);
	string_list_free(route->config.query);
	string_list_free(route->config.request_types);
	string_list_free(route->config.users);
	string_list_free(route->config.members);
	schema_free(route->config.schema);
	schema_free(route->config.quick_schema);
	store_collection_unref(route->config.collection);
	free(route->below);
	free(route->pattern);
	http_cors_fini(&route->cors);
	free(route);
}
