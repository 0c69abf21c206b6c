/* What the files of a connection share: what comes in, its refusal, what goes out.  Not for the rest of this
 * layer. */
#pragma once

#include "http/connection.h"

/* connection.c: the deadline of the state, and what it is where nothing else is said. */
void connection_start_timer(struct http_connection *connection, int64_t after_ms);
int64_t connection_header_timeout(const struct http_connection *connection);

/* connection.c: keeps evhttp's other callbacks but the one for input. */
void connection_stop_reading(struct http_connection *connection);

/* connection_input.c: between the socket's read and evhttp's parser; an evbuffer_cb_func, its argument is the
 * connection. */
void connection_on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg);

/* connection_input.c: drops all that is in the input. */
void connection_drop_input(struct http_connection *connection);

/* connection_input.c: the deadline of one that is idle has come: whether it has been so for as long as it
 * may; else that is started anew for the time that is left. */
bool connection_has_idled(struct http_connection *connection);

/* connection_refusal.c: nothing that comes in is looked at any more; the refusal is written in the next turn
 * of the loop. */
void connection_begin_refusal(struct http_connection *connection);

/* connection_refusal.c: takes the connection out of evhttp's hands and writes it: what is in
 * connection->refusal, or what the guard found. */
void connection_write_refusal(struct http_connection *connection);

/* connection_output.c: of the reply that is being flushed, by the client. */
uint64_t connection_bytes_taken(const struct http_connection *connection);
