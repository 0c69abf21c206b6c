/* The routes and monitors that lead to the styles. */
#include "styles/style.h"

#include "common/cleanup.h"
#include "common/loop/mailbox.h"
#include "common/loop/pool.h"
#include "common/schema/schema.h"
#include "common/string_list.h"
#include "common/text.h"
#include "styles/call.h"
#include "styles/collection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What the path names, if whoever asks may know of it; else NULL. */
static struct op *
find_monitored(const struct http_request *request, const struct monitor_target *monitor)
{
	struct op *op = NULL;
	struct id id;

	if (http_request_id_param(request, "id", &id) == 0)
		op = operations_find(monitor->styles->config.operations, &id);
	return op && monitor_may_use(request, op) ? op : NULL;
}

static void
on_monitor(struct http_request *request, void *arg)
{
	struct monitor_target *monitor = arg;
	struct styles *styles = monitor->styles;
	struct op *op = find_monitored(request, monitor);

	if (!op || op->state == OP_EXPIRED)
		monitor_reply_missing(request, monitor->style->dialect, op);
	else if (request->method == HTTP_DELETE)
		monitor_cancel(request, styles, monitor->style->dialect, op);
	else
		monitor_get(request, styles, monitor->monitor->reply, op);
}

static bool
answer_monitor_now(struct http_request *request, void *arg)
{
	struct monitor_target *monitor = arg;
	struct op *op = find_monitored(request, monitor);

	if (!op || op->state == OP_EXPIRED)
		monitor_reply_missing(request, monitor->style->dialect, op);
	else if (monitor_is_at_hand(request, op))
		monitor_get(request, monitor->styles, monitor->monitor->reply, op);
	else
		return false;
	return true;
}

static void
make_monitor(struct styles *styles, const struct style *style, const struct style_monitor *from)
{
	struct monitor_target *monitor = &styles->monitors[styles->monitor_count++];

	monitor->styles = styles;
	monitor->style = style;
	monitor->monitor = from;
	monitor->target =
		(struct http_target){.handler = on_monitor, .arg = monitor, .answer_now = answer_monitor_now};
}

/* Makes one target for each monitor of each style. */
static void
make_monitors(struct styles *styles)
{
	size_t count = 0;

	for (const struct style *const *style = style_table; *style; style++)
		count++;
	styles->monitors = xcalloc(count * STYLE_MONITORS_MAX, sizeof *styles->monitors);
	for (const struct style *const *style = style_table; *style; style++)
		for (const struct style_monitor *monitor = (*style)->monitors; monitor->path; monitor++)
			make_monitor(styles, *style, monitor);
}

int
styles_new(const struct styles_config *config, struct styles **ret_styles)
{
	struct styles *styles = xcalloc(1, sizeof *styles);
	int rc = pool_new("judge", config->mailbox, JUDGES, &styles->pool);

	if (rc < 0) {
		free(styles);
		return rc;
	}

	styles->config = *config;
	make_monitors(styles);
	*ret_styles = styles;
	return 0;
}

void
styles_free(struct styles *styles)
{
	if (!styles)
		return;
	pool_free(styles->pool);
	mailbox_drain(styles->config.mailbox);
	free(styles->monitors);
	free(styles);
}

int
styles_enter_monitors(struct styles *styles, struct router *router, const char *base_path)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < styles->monitor_count; i++) {
		char *path = xasprintf("%s%s", base_path, styles->monitors[i].monitor->path);
		rc = router_add(router, path, HTTP_GET | HTTP_DELETE, &styles->monitors[i].target);
		free(path);
	}
	return rc;
}

/* A copy of a list ended by NULL; NULL, which is no list, stays NULL. */
static char **
copy_list(char **from)
{
	struct string_list list = {0};

	if (from)
		string_list_copy(&list, from);
	return from && !list.items ? xcalloc(1, sizeof *list.items) : list.items;
}

static void
free_list(char **list)
{
	for (char **item = list; item && *item; item++)
		free(*item);
	free(list);
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

	read_preferences(request, &preferences);
	return preferences.respond_async;
}

/* What may not be read is told as for a change. */
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

/* A read of a collection cares for no body. */
static bool
refuse_early(struct http_request *request, void *arg)
{
	struct style_route *route = arg;

	return !(route->config.collection && is_read(request)) && call_refuse_early(request, route);
}

/* Whoever prefers something is answered the ordinary way, as is who may not read. */
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
	if (config->style && config->style->poll_path)
		route->poll_target = (struct http_target){
			.handler = config->style->poll, .arg = route, .answer_now = config->style->poll_now};
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
	free_list(route->config.query);
	free_list(route->config.request_types);
	free_list(route->config.users);
	free_list(route->config.members);
	schema_free(route->config.schema);
	schema_free(route->config.quick_schema);
	store_collection_unref(route->config.collection);
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

	if (rc == 0 && route->config.style && route->config.style->poll_path) {
		char *path = xasprintf("%s%s", route->config.pattern, route->config.style->poll_path);
		rc = router_add(router, path, HTTP_GET | HTTP_DELETE, &route->poll_target);
		free(path);
	}
	return rc;
}
