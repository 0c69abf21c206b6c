/* The way of a request to its handler, private to this layer: log-in, then the router, then the request's
 * transport.  Loop thread only. */
#pragma once

#include "common/list.h"
#include "http/connection/connection.h"
#include "http/message/shared.h"
#include "http/message/site.h"

#include <stdbool.h>

struct auth;
struct router;

/* The part of a server that the transports need. */
struct dispatch {
	struct http_shared shared;
	struct connection_env connections;
	const struct router *router; /* lent; NULL: no path leads anywhere yet */
	struct auth *auth;	     /* lent; NULL: no log-in is needed */
	bool all_admins;	     /* every caller is one */
	struct http_site site;

	struct http_request *running; /* evhttp.c: its handler runs now; NULL once it has replied */

	struct list lane_spares; /* lane.c: memory of requests that have ended */
	unsigned lane_spare_count;
};

/* The dispatch that a request or a connection belongs to. */
static inline struct dispatch *
dispatch_of(const struct http_request *request)
{
	return container_of(request->shared, struct dispatch, shared);
}

static inline struct dispatch *
dispatch_of_connection(const struct http_connection *connection)
{
	return container_of(connection->env, struct dispatch, connections);
}

/* Makes a request of a connection, without its fields and target. */
void dispatch_init_request(struct http_request *request, struct http_connection *connection,
	const struct http_transport *transport, enum http_method method);

/* Finds out who makes the request, at once or later, and where its path leads; or replies. */
void dispatch_begin(struct http_request *request);

/* Whether the request need not be looked at for the sake of browsers: its Host is right, and no page has sent it. */
bool dispatch_is_plain(const struct http_request *request);

/* Whether it is known at once who makes the request and that the caller is admitted: then sets principal, which
 * is lent until the next log-in, and is_admin.  Else changes nothing. */
bool dispatch_knows(struct http_request *request);
