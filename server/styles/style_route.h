/* Routes as they are called: the targets that a route has in the router, and what may be done there.  Loop thread. */
#pragma once

#include "styles/style.h"

struct schema;
struct store_collection;

/* The part of a route's configuration that says how it is called; copied. */
struct style_route_config {
	const char *pattern;	   /* with its base path */
	struct op_route *op_route; /* its reference is taken */
	const struct style *style; /* NULL: synchronous unless asked otherwise */
	char **query;	      /* names of query parameters that the work takes, ended by NULL; NULL: none */
	char **request_types; /* media types allowed, ended by NULL; NULL: all */
	char **users;	      /* principals allowed, ended by NULL; NULL: all */
	uint64_t max_body_bytes;
	bool idempotency_required;
	bool keeps_credentials; /* the work sends them on; else they are neither kept nor stored */

	struct schema *schema;	     /* of bodies; taken; NULL: none */
	struct schema *quick_schema; /* the same with few steps, for what is judged on the loop; taken */

	/* of a collection */
	struct store_collection *collection; /* a reference is taken; NULL: it is none */
	bool has_on_change;		     /* a program or an upstream carries out changes */
	char **members;			     /* that its schema names, ended by NULL; NULL: not known */
};

/* Makes a route; a target for the router stands in it.  It lives until the caller and every call on it have
 * given it back. */
struct style_route *style_route_new(struct styles *styles, const struct style_route_config *config);
void style_route_unref(struct style_route *route);

/* Enters the route for methods, and the monitors that its style has below it.  As router_add. */
__attribute__((warn_unused_result)) int style_route_enter(
	struct style_route *route, struct router *router, unsigned methods);
