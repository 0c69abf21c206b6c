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
struct preferences;
struct schema;
struct store;
struct store_collection;
struct styles;
struct style_route;

/* The part of a request by which it asks for a style. */
struct style_request {
	const struct preferences *preferences;
	bool is_async; /* ?async=true */
	bool is_safe;  /* the method changes nothing: GET, HEAD or OPTIONS */
};

enum style_claim {
	STYLE_NOT_ASKED,
	STYLE_FALLBACK, /* the style serves if neither the request nor the route names another */
	STYLE_ASKED,
};

/* Answers a request with the state of op.  The caller keeps fields; the function may change them.  Ends the
 * request. */
typedef void style_reply_fn(struct http_request *request, struct op *op, struct fields *fields);

/* A path below each base path, such as "/operations/{id}", at which operations are polled and cancelled. */
struct style_monitor {
	const char *path; /* NULL: there are no more monitors */
	style_reply_fn *reply;
};

#define STYLE_MONITORS_MAX 4

struct style {
	const char *name;
	enum problem_dialect dialect; /* of the problems of its routes and monitors */
	int64_t keep_ms;	      /* default of the setting keep on its routes; 0: the server's */
	int overload_status;	      /* of refusals for want of room; 0: that of the problem */

	/* Whether the request asks for the style; NULL: only a route's configuration does. */
	enum style_claim (*asks)(const struct style_request *request);

	/* Answers a call whose operation has been accepted or joined; fields hold Preference-Applied. */
	style_reply_fn *reply_accepted;

	/* Adds the style's header fields to the 202 of another style, if the request asks for both; NULL:
	 * there are none. */
	void (*put_fields)(struct fields *fields, const struct op *op);

	/* Each answers a GET for an operation of any style that has not expired. */
	struct style_monitor monitors[STYLE_MONITORS_MAX + 1];

	/* The path below each of its routes at which their operations are polled and cancelled, with the
	 * handlers for the router; their argument is the style_route.  NULL: there is none. */
	const char *poll_path;
	void (*poll)(struct http_request *request, void *route);
	bool (*poll_now)(struct http_request *request, void *route);
};

/* All styles in the order in which a request is checked for them; ended by NULL. */
extern const struct style *const style_table[];

/*
 * The style of table that serves a request: the first one that the request asks for, else route_style unless
 * the method is safe, else the first fallback.  NULL: the call is synchronous.  *ret_also is the next style
 * that the request asks for too, NULL if there is none.
 */
const struct style *style_choose(const struct style *const *table, const struct style_request *request,
	const struct style *route_style, const struct style **ret_also);

/* The style of that name, NULL if there is none.  style_find_name gives its name as a constant for op->style,
 * or NULL. */
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
