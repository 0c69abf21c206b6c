/* Input of a connection: the guard sees every byte before evhttp does, one request at a time.  Bytes of the
 * next request wait in the input, not yet guarded and bounded, until the reply is out. */
#pragma once

#include "http/connection/state.h"

struct evbuffer;
struct evbuffer_cb_info;

/* Runs between the socket's read and evhttp's parser.  An evbuffer_cb_func with the connection as argument. */
void connection_input_on_bytes(struct evbuffer *input, const struct evbuffer_cb_info *info, void *connection);

/* Drops everything in the input. */
void connection_input_drop(struct http_connection *connection);

/* The reply has gone out whole: on to the next request, which may be there already. */
void connection_input_next(struct http_connection *connection);

/* The head that was being judged is good, and evhttp may have the request.  Does nothing in other states. */
void connection_input_resume(struct http_connection *connection);

/* Keeps what a refusal of the request is to be logged with, unless it is kept already; and forgets it. */
void connection_input_see(struct http_connection *connection);
void connection_input_unsee(struct http_connection *connection);

/* Drops the bytes of the next request that were taken out of the input, if there are any. */
void connection_input_forget_next(struct http_connection *connection);

/* Steps of the table of states. */
void connection_input_enter_head(struct http_connection *connection, enum connection_state from);
void connection_input_enter_next(struct http_connection *connection, enum connection_state from);
void connection_input_enter_reading(struct http_connection *connection, enum connection_state from);
void connection_input_enter_judging(struct http_connection *connection, enum connection_state from);
void connection_input_enter_idle(struct http_connection *connection, enum connection_state from);
void connection_input_on_idle_deadline(struct http_connection *connection);
