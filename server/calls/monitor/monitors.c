/* Monitors as targets of the router: finds the operation in the path, and polls or cancels it. */
#include "calls/call/answer.h"
#include "calls/call/route.h"
#include "calls/monitor/monitor.h"
#include "common/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Reads the id in the request's path, which may stand behind the monitor's prefix.  Returns 0 or -EINVAL. */
static int
read_id(const struct http_request *request, const struct style_monitor *monitor, struct id *ret_id)
{
	size_t len = monitor->id_prefix ? strlen(monitor->id_prefix) : 0;

	if (http_request_id_param(request, "id", ret_id) == 0)
		return 0;
	CLEANUP_FREE char *text = len ? http_request_param(request, "id") : NULL;
	if (!text || strncmp(text, monitor->id_prefix, len) != 0)
		return -EINVAL;
	return id_parse(text + len, strlen(text + len), ret_id);
}

struct op *
monitor_find(const struct http_request *request, const struct style_place *place)
{
	struct op *op = NULL;
	struct id id;

	if (read_id(request, place->monitor, &id) == 0)
		op = operations_find(place->styles->config.operations, &id);
	if (op && place->route && !op_is_of_route(op, place->route->config.op_route))
		return NULL;
	return op && monitor_may_use(request, op) ? op : NULL;
}

/* GET includes HEAD. */
static bool
has_method(unsigned methods, const struct http_request *request)
{
	return methods & (request->method == HTTP_HEAD ? HTTP_GET : request->method);
}

static void
on_monitor(struct http_request *request, void *arg)
{
	struct style_place *place = arg;
	struct op *op;

	if (has_method(place->monitor->handles, request)) {
		place->monitor->handle(request, place);
		return;
	}
	op = monitor_find(request, place);
	if (!op || op->state == OP_EXPIRED)
		answer_missing(request, place->style, op);
	else if (has_method(place->monitor->cancels, request))
		monitor_cancel(request, place->styles, place->style, op);
	else
		monitor_get(request, place->styles, place->monitor->reply, op);
}

static bool
answer_monitor_now(struct http_request *request, void *arg)
{
	struct style_place *place = arg;
	const struct style_monitor *monitor = place->monitor;
	struct op *op;

	if (monitor->handles & HTTP_GET)
		return monitor->handle_now && monitor->handle_now(request, place);
	if (!(monitor->polls & HTTP_GET))
		return false;
	op = monitor_find(request, place);
	if (!op || op->state == OP_EXPIRED)
		answer_missing(request, place->style, op);
	else if (monitor_is_at_hand(request, op))
		monitor_get(request, place->styles, monitor->reply, op);
	else
		return false;
	return true;
}

void
monitor_target_init(struct monitor_target *target, struct styles *styles, struct style_route *route,
	const struct style *style, const struct style_monitor *monitor)
{
	target->place =
		(struct style_place){.styles = styles, .style = style, .monitor = monitor, .route = route};
	target->target = (struct http_target){.handler = on_monitor,
		.arg = &target->place,
		.cors = route ? route->config.cors : NULL,
		.answer_now = answer_monitor_now};
}

int
monitor_targets_enter(struct monitor_target *targets, size_t count, struct router *router, const char *path)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++) {
		const struct style_monitor *monitor = targets[i].place.monitor;
		CLEANUP_FREE char *whole = xasprintf("%s%s", path, monitor->path);
		rc = router_add(router, whole, monitor->polls | monitor->cancels | monitor->handles,
			&targets[i].target);
	}
	return rc;
}

/* Makes one target for each monitor of each style. */
static void
make_monitors(struct styles *styles)
{
	const struct style *const *table = styles->config.table;
	size_t count = 0;

	while (table[count])
		count++;
	styles->monitors = xcalloc(count * STYLE_MONITORS_MAX, sizeof *styles->monitors);
	for (; *table; table++)
		for (const struct style_monitor *monitor = (*table)->monitors; monitor->path; monitor++)
			monitor_target_init(
				&styles->monitors[styles->monitor_count++], styles, NULL, *table, monitor);
}

int
styles_enter_monitors(struct styles *styles, struct router *router, const char *base_path)
{
	if (!styles->monitors)
		make_monitors(styles);
	return monitor_targets_enter(styles->monitors, styles->monitor_count, router, base_path);
}
