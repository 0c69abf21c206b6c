/* Routes as they are called: their targets in the router, and who may call them. */
#include "calls/routes.h"

#include "calls/begin.h"
#include "calls/call/answer.h"
#include "calls/call/async_param.h"
#include "calls/call/preference.h"
#include "calls/call/route.h"
#include "calls/collection/collection.h"
#include "calls/monitor/monitor.h"
#include "common/cleanup.h"
#include "common/string_list.h"
#include "common/text.h"

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

static bool
is_read(const struct http_request *request)
{
	return request->method == HTTP_GET || request->method == HTTP_HEAD;
}

static bool
asks_async(const struct http_request *request)
{
	CLEANUP_FREE char *rest = NULL;
	struct preferences preferences;
	enum async_param said =
		request->method == HTTP_GET ? async_param_read(request->query, &rest) : ASYNC_SILENT;

	preferences_read(&preferences, request);
	return preferences.respond_async || said == ASYNC_TRUE || said == ASYNC_MALFORMED;
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

/* A request with a query or Prefer, or of a caller who may not read, is answered the ordinary way. */
static bool
answer_item_now(struct http_request *request, void *arg)
{
	struct style_route *route = arg;

	return !request->query && style_route_may_call(route, request) &&
	       !http_request_field(request, "Prefer") && collection_answer_item_now(request, route);
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
	if (config->cors) {
		http_cors_copy(&route->cors, config->cors);
		route->config.cors = &route->cors;
	}
	if (config->collection)
		store_collection_ref(config->collection);
	route->call_target = (struct http_target){
		.handler = config->collection ? on_collection : call_begin,
		.arg = route,
		.cors = route->config.cors,
		.is_by_lane = !config->collection,
		.refuse_early = refuse_early,
	};
	route->item_target = (struct http_target){
		.handler = on_item,
		.arg = route,
		.cors = route->config.cors,
		.answer_now = answer_item_now,
		.refuse_early = refuse_early,
	};
	make_below(route);
	op_route_set_judge(config->op_route, call_late_begin, route);
	return route;
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
