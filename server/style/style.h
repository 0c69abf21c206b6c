/*
 * Style: one way in which calls are asked for, answered and polled asynchronously, as a constant structure.  This is
 * data alone, so that the configuration, the router and the OpenAPI document read the same table of styles.  A new
 * style is one file in server/styles and one row in style_table.c.  The functions run on the loop thread.
 */
#pragma once

#include "common/http/problem.h"

#include <stdbool.h>
#include <stdint.h>

struct fields;
struct http_request;
struct op;
struct preferences;
struct style;
struct style_route;
struct styles;

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
 * request, at once or when the final response is ready to be shown. */
typedef void style_reply_fn(
	struct http_request *request, struct styles *styles, struct op *op, struct fields *fields);

/* Answers a request for an operation that has expired, or that does not exist (op is NULL).  Ends the request. */
typedef void style_missing_fn(struct http_request *request, const struct op *op);

/* One monitor at one place of the router. */
struct style_place {
	struct styles *styles;
	const struct style *style;
	const struct style_monitor *monitor; /* of style */
	struct style_route *route;	     /* NULL: the monitor stands below a base path */
};

/*
 * A path at which operations are polled and cancelled.  Its methods are bits of enum http_method; GET includes
 * HEAD.  Several monitors may share a path if their methods differ.
 */
struct style_monitor {
	/* "/operations/{id}", "/{id}/cancel", "/v1/operations/{id}:cancel"; "": the route's own path.  NULL: there are
	 * no more monitors. */
	const char *path;

	/* The id may also stand behind this prefix, whose slashes the client has encoded: "operations/".  NULL: it
	 * stands alone. */
	const char *id_prefix;

	unsigned polls;	  /* methods that reply answers, for an operation of any style that has not expired */
	unsigned cancels; /* methods that cancel the operation; reply_cancelled of the style answers */
	style_reply_fn *reply;

	/* Methods that handle answers alone: a list, or an operation that is not named in the path. */
	unsigned handles;
	void (*handle)(struct http_request *request, const struct style_place *place);

	/* Answers where that takes no wait and no file, and returns true; or does nothing and returns false.  NULL:
	 * false. */
	bool (*handle_now)(struct http_request *request, const struct style_place *place);

	/* What handle reads in the query, with ID for the operation's id: "asyncOperationToken=ID".  NULL: nothing. */
	const char *query;

	/* Its path item in the OpenAPI document, without the cancel by DELETE: JSON with ' in place of ". */
	const char *item;
};

#define STYLE_MONITORS_MAX 5

/* What the OpenAPI document says of a style: JSON with ' in place of ".  Each may be NULL. */
struct style_openapi {
	const char *accepted;	     /* name of the response of acceptance; NULL: the common one */
	const char *accepted_status; /* "201"; NULL: "202" */
	const char *
		accepted_deletes; /* name of the response that accepts a DELETE, if that has a status of its own */
	const char *accepted_deletes_status; /* "204"; set where accepted_deletes is */
	const char *responses;		     /* object with the style's members of components/responses */
	const char *schemas;		     /* object with the style's members of components/schemas */
};

/* How a client asks for a style, and what it then reads in the answer: for deferd --explain.  Each may be NULL. */
struct style_words {
	const char *query;    /* of a request that asks for it: "async=true" */
	const char *field;    /* the same as a header field: "Prefer: respond-async" */
	const char *accepted; /* what the acceptance has, as a phrase */
};

struct style {
	const char *name;
	bool is_for_routes;	      /* a route's setting "style" may name it */
	bool waits_bare;	      /* Prefer: wait without a number means as long as wait_max allows */
	bool is_of_collections;	      /* only collections have it; the accepted call shows the resource */
	enum problem_dialect dialect; /* of the problems of its routes and monitors */
	int64_t keep_ms;	      /* default of the setting keep on its routes; 0: the server's */
	int overload_status;	      /* of refusals for want of room; 0: that of the problem */

	/* Whether the request asks for the style; NULL: only a route's configuration does. */
	enum style_claim (*asks)(const struct style_request *request);

	/* Answers a call whose operation has been accepted or joined; fields hold Preference-Applied. */
	style_reply_fn *reply_accepted;

	/* Answers a call that waited (Prefer: wait) and has ended in time.  NULL: the final response. */
	style_reply_fn *reply_ended;

	/* Adds the style's header fields to the acceptance by another style, if the request asks for both; NULL: there
	 * are none. */
	void (*put_fields)(struct fields *fields, const struct op *op);

	/* Answers a cancel once it is decided: op is being stopped, is cancelled, or had ended before.  NULL: 202, 204 or
	 * 409. */
	style_reply_fn *reply_cancelled;

	/* NULL: problem not-found or expired. */
	style_missing_fn *reply_missing;

	struct style_monitor monitors[STYLE_MONITORS_MAX + 1]; /* below every base path */
	struct style_monitor below[STYLE_MONITORS_MAX + 1];    /* below the path of each of its routes */

	struct style_openapi openapi;
	struct style_words words;
};
