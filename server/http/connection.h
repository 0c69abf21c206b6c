/* Connections, private to this layer: their beginning, their end, and the table of their states.  Loop thread
 * only. */
#pragma once

#include "http/connection_state.h"

extern const struct connection_rule connection_rules[CONNECTION_STATE_COUNT];

/* A connection of which evhttp has just asked for a bufferevent; holds a reference to bev until it is adopted. */
struct http_connection *connection_new(
	struct connection_env *env, const struct connection_door *door, struct bufferevent *bev);

/* In the next turn of the loop: evhttp has made its side of the connection by now, or has dropped it: then
 * returns false, and the connection is freed. */
bool connection_adopt(struct http_connection *connection);

/* Frees what the connections of an environment have shared.  There are none any more. */
void connection_env_fini(struct connection_env *env);

/* The connection that evhttp got a request on. */
struct http_connection *connection_find(struct connection_env *env, const struct evhttp_connection *evhttp);

/* The connection that a request came on; NULL: the client has left. */
static inline struct http_connection *
connection_of(const struct http_request *request)
{
	return request->peer ? container_of(request->peer, struct http_connection, peer) : NULL;
}

/* A request has come in whole and is now with its handler. */
void connection_begin_request(struct http_connection *connection, struct http_request *request);

/* The handler has returned without a reply: watches for the client's leaving. */
void connection_watch_request(struct http_connection *connection);

/* The common name in the client's certificate, in *ret_len bytes, as it stands there; NULL: none.  Lent. */
const char *connection_client_name(struct http_connection *connection, size_t *ret_len);

/* No request after the one under way; closes the connection if there is none. */
void connection_drain(struct http_connection *connection);
