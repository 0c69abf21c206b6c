/*
 * The refusal that a connection ends with.  evhttp's callbacks are replaced by ours, the refusal is written,
 * further input is dropped for a while (so that no reset overtakes the refusal), and the connection is closed.
 */
#pragma once

#include "http/connection/state.h"

/* Ends the connection with a reply (copied) to a request of which only the head is there.  The rest of the
 * request is read and dropped. */
void connection_refusal_begin(struct http_connection *connection, const struct text *reply);

/* Ends the connection because there is no room for the body that is coming in, as if its head were the reason. */
void connection_refusal_for_room(struct http_connection *connection);

/* Steps of the table of states. */
void connection_refusal_enter_refused(struct http_connection *connection, enum connection_state from);
void connection_refusal_enter_lingering(struct http_connection *connection, enum connection_state from);
void connection_refusal_on_late(struct http_connection *connection);
void connection_refusal_on_refused_deadline(struct http_connection *connection);
void connection_refusal_on_written(struct bufferevent *bev, void *connection);
void connection_refusal_on_event(struct bufferevent *bev, short what, void *connection);
