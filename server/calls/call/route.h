/* A route as its calls see it: made from the configuration, shared by reference.  Loop thread, but for the schemas. */
#pragma once

#include "calls/call/styles.h"
#include "http/message/request.h"
#include "http/message/site.h"

struct monitor_target;
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
	const struct http_cors *cors; /* NULL: the server's */
	bool idempotency_required;
	bool keeps_credentials; /* the work sends them on; else they are neither kept nor stored */

	struct schema *schema;	     /* of bodies; taken; NULL: none */
	struct schema *quick_schema; /* the same with few steps, for what is judged on the loop; taken */

	/* of a collection */
	struct store_collection *collection; /* a reference is taken; NULL: it is none */
	bool has_on_change;		     /* a program or an upstream carries out changes */
	char **members;			     /* that its schema names, ended by NULL; NULL: not known */
};

struct style_route {
	unsigned references;
	struct styles *styles;
	struct style_route_config config; /* its strings and lists are the route's own */
	char *pattern;
	struct http_cors cors;
	struct http_target call_target;
	struct monitor_target *below; /* the monitors that its style has below it */
	size_t below_count;
	struct http_target item_target; /* of a collection */
};

struct style_route *style_route_ref(struct style_route *route);
void style_route_unref(struct style_route *route); /* NULL is allowed */

/* The dialect of its problems, and whether the caller may use it. */
enum problem_dialect style_route_dialect(const struct style_route *route);
bool style_route_may_call(const struct style_route *route, const struct http_request *request);
