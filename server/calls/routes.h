/* Routes as targets of the router: makes them, and enters them with the monitors below them.  Loop thread. */
#pragma once

#include "calls/call/route.h"

/* Makes a route; a target for the router stands in it.  It lives until the caller and every call on it have
 * given it back. */
struct style_route *style_route_new(struct styles *styles, const struct style_route_config *config);

/* Enters the route for methods, and the monitors that its style has below it.  As router_add. */
__attribute__((warn_unused_result)) int style_route_enter(
	struct style_route *route, struct router *router, unsigned methods);
