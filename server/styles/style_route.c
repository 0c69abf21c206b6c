/* Routes as they are called: their targets in the router, and who may call them. */
#include "styles/style_route.h"

#include "common/cleanup.h"
#include "common/schema/schema.h"
#include "common/string_list.h"
#include "common/text.h"
#include "styles/answer.h"
#include "styles/begin.h"
#include "styles/collection.h"
#include "styles/preference.h"
#include "styles/private.h"

#include <stdlib.h>
#include <string.h>

/* Returns a copy of a list that is ended by NULL.  NULL, which is no list, stays NULL. */
static char **
copy_list(char **from)
{
	return from ? string_list_dup(from) : NULL;
}

/* Makes one target for each monitor that the route's style has below it. */
static void
make_below(struct style_route *route)
{
	const struct style *style = route->config.style;

	if (!style)
		return;
	route->below = xcalloc(STYLE_MONITORS_MAX, sizeof *route->below);
	for (const struct style_monitor *monitor = style->below; monitor->path; monitor++)
		monitor_target_init(
			&route->below[route->below_count++], route->styles, route, style, monitor);
}

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

static bool
is_read(const struct http_request *request)
{
	return request->method == HTTP_GET || request->method == HTTP_HEAD;
}

static bool
asks_async(const struct http_request *request)
{
	struct preferences preferences;

	preferences_read(&preferences, request);
	return preferences.respond_async;
}

/* Whether the caller may read; else it has been refused, as for a change. */
static bool
may_read(struct http_request *request, const struct style_route *route)
{
	if (style_route_may_call(route, request))
		return true;
	answer_problem(request, style_route_dialect(route), PROBLEM_FORBIDDEN, 0,
		"This caller does not have permission to use this route.", NULL);
	return false;
}

static void
on_collection(struct http_request *request, void *arg)
{
	struct style_route *route = arg;

	if (!is_read(request) || asks_async(request))
		call_begin(request, route);
	else if (may_read(request, route))
		collection_get_list(request, route);
}

static void
on_item(struct http_request *request, void *arg)
{
	struct style_route *route = arg;

	if (!is_read(request) || asks_async(request))
		call_begin(request, route);
	else if (may_read(request, route))
		collection_get_item(request, route);
}

/* A read of a collection ignores its body. */
static bool
refuse_early(struct http_request *request, void *arg)
{
	struct style_route *route = arg;

	return !(route->config.collection && is_read(request)) && call_refuse_early(request, route);
}

/* A request with Prefer, or of a caller who may not read, is answered the ordinary way. */
static bool
answer_item_now(struct http_request *request, void *arg)
{
	struct style_route *route = arg;

	return style_route_may_call(route, request) && !http_request_field(request, "Prefer") &&
	       collection_answer_item_now(request, route);
}

struct style_route *
style_route_new(struct styles *styles, const struct style_route_config *config)
{
	struct style_route *route = xcalloc(1, sizeof *route);

	route->references = 1;
	route->styles = styles;
	route->config = *config;
	route->config.pattern = route->pattern = xstrdup(config->pattern);
	route->config.query = copy_list(config->query);
	route->config.request_types = copy_list(config->request_types);
	route->config.users = copy_list(config->users);
	route->config.members = copy_list(config->members);
	if (config->collection)
		store_collection_ref(config->collection);
	route->call_target = (struct http_target){
		.handler = config->collection ? on_collection : call_begin,
		.arg = route,
		.is_by_lane = !config->collection,
		.refuse_early = refuse_early,
	};
	route->item_target = (struct http_target){
		.handler = on_item,
		.arg = route,
		.answer_now = answer_item_now,
		.refuse_early = refuse_early,
	};
	make_below(route);
	op_route_set_judge(config->op_route, call_late_begin, route);
	return route;
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
	free(route);
}

/* A collection and its items are two patterns, each with its share of the methods. */
static int
enter_collection(struct style_route *route, struct router *router, unsigned methods)
{
	const unsigned of_list = HTTP_GET | HTTP_HEAD | HTTP_POST;
	const unsigned of_item = HTTP_GET | HTTP_HEAD | HTTP_PUT | HTTP_PATCH | HTTP_DELETE;
	CLEANUP_FREE char *item = xasprintf("%s/{id}", route->config.pattern);
	int rc = 0;

	if (methods & of_list)
		rc = router_add(router, route->config.pattern, methods & of_list, &route->call_target);
	if (rc == 0 && methods & of_item)
		rc = router_add(router, item, methods & of_item, &route->item_target);
	return rc;
}

int
style_route_enter(struct style_route *route, struct router *router, unsigned methods)
{
	int rc = route->config.collection
			 ? enter_collection(route, router, methods)
			 : router_add(router, route->config.pattern, methods, &route->call_target);

	return rc == 0 ? monitor_targets_enter(route->below, route->below_count, router, route->pattern) : rc;
}
