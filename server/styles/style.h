/*
 * Styles: the ways in which a call is asked for, answered and polled asynchronously (contract, 5).  This
 * layer is the only place where "how it was asked" meets "what is being done".  A style is one `struct style`
 * in one file, and one row of the table in style.c.
 */
#pragma once

#include "common/http/fields.h"
#include "common/http/problem.h"
#include "common/loop/timer.h"
#include "http/request.h"
#include "http/router.h"
#include "operations/operations.h"

#include <stdbool.h>
#include <stdint.h>

struct mailbox;
struct schema;
struct store;
struct store_collection;
struct styles;
struct style_route;

struct style {
	const char *name;
	enum problem_dialect dialect; /* of the problems of its routes and monitors */

	/* Answers a call whose operation has been accepted, or joined; fields (lent, may be changed) hold
	 * Preference-Applied and the like. Ends the request. */
	void (*reply_accepted)(struct http_request *request, struct op *op, struct fields *fields);

	/* Answers a GET of its monitor for an operation that is not expired.  Ends the request. */
	void (*reply_monitor)(struct http_request *request, struct op *op, struct fields *fields);
};

extern const struct style style_location;
extern const struct style style_status;
extern const struct style style_resource;
extern const struct style style_token;
extern const struct style style_prefer;
extern const struct style style_prefer_response; /* the monitor's /response: no style of its own */

/* The style of that name, NULL if there is none; its name as a constant for op->style, NULL likewise. */
const struct style *style_find(const char *name);
const char *style_find_name(const char *name);

struct styles_config {
	struct operations *operations;
	struct store *store; /* for collections */
	struct mailbox *mailbox;
	struct timers *timers;
	int spool_fd;		    /* for large bodies, -1: memory */
	int64_t wait_max_ms;	    /* the longest that Prefer: wait holds an answer */
	int64_t validation_wait_ms; /* how long a 202 waits for the body to be judged */
};

/* -errno. */
__attribute__((warn_unused_result)) int styles_new(
	const struct styles_config *config, struct styles **ret_styles);

/* Once no request has a call any more.  NULL is allowed. */
void styles_free(struct styles *styles);

/* What a route of the configuration says of how it is called; copied. */
struct style_route_config {
	const char *pattern;	   /* with its base path */
	struct op_route *op_route; /* its reference is taken */
	const struct style *style; /* NULL: synchronous unless asked otherwise */
	char **query;	      /* names of query parameters that the work takes, ended by NULL; NULL: none */
	char **request_types; /* media types allowed, likewise; NULL: all */
	char **users;	      /* principals allowed, likewise; NULL: all */
	uint64_t max_body_bytes;
	bool idempotency_required;
	bool keeps_credentials; /* the work sends them on; else they are neither kept nor stored */

	struct schema *schema;	     /* of bodies; taken; NULL: none */
	struct schema *quick_schema; /* the same with few steps, for what is judged on the loop; taken */

	/* of a collection */
	struct store_collection *collection; /* a reference is taken; NULL: it is none */
	bool has_on_change;		     /* changes are carried out by somebody */
	char **members; /* that its schema names, copied, ended by NULL; NULL: not known */
};

/* Makes a route; a target for the router stands in it.  It lives until the caller and every call on it have
 * given it back. */
struct style_route *style_route_new(struct styles *styles, const struct style_route_config *config);
void style_route_unref(struct style_route *route);

/* Enters the route for methods, and its poll path if its style has one.  As router_add. */
__attribute__((warn_unused_result)) int style_route_enter(
	struct style_route *route, struct router *router, unsigned methods);

/* Enters the monitors of all styles, below base_path ("" and those of the routes).  As router_add. */
__attribute__((warn_unused_result)) int styles_enter_monitors(
	struct styles *styles, struct router *router, const char *base_path);
