/* Private to this folder: the styles of a server and its routes, as their files share them. */
#pragma once

#include "styles/monitor.h"
#include "styles/style.h"
#include "styles/style_route.h"

/* Threads that judge large bodies. */
#define JUDGES 2

struct styles {
	struct styles_config config;
	struct monitor_target *monitors; /* monitor_count of them */
	size_t monitor_count;
	struct pool *pool; /* judges large bodies */
};

struct style_route {
	unsigned references;
	struct styles *styles;
	struct style_route_config config; /* its strings and lists are the route's own */
	char *pattern;
	struct http_target call_target;
	struct monitor_target *below; /* the monitors that its style has below it */
	size_t below_count;
	struct http_target item_target; /* of a collection */
};

/* style_route.c: another reference; the dialect of its problems; whether the caller may use the route. */
struct style_route *style_route_ref(struct style_route *route);
enum problem_dialect style_route_dialect(const struct style_route *route);
bool style_route_may_call(const struct style_route *route, const struct http_request *request);
