/* Output of a connection: replies, which are written as the client takes them, within a deadline. */
#pragma once

#include "http/connection_state.h"

#include <stddef.h>

struct blob;

/* Writes what the socket takes at once, if nothing waits in the output.  Returns how many bytes that were; the
 * rest is to be added next, in one piece. */
size_t connection_output_write(struct http_connection *connection, const char *data, size_t len);

/* Adds to the output: bytes (copied), or a body, of which it takes a reference.  -errno if its file cannot be
 * read. */
void connection_output_add(struct http_connection *connection, const char *data, size_t len);
__attribute__((warn_unused_result)) int connection_output_add_blob(
	struct http_connection *connection, struct blob *body);

bool connection_output_is_empty(const struct http_connection *connection);

/* An answer of the lane is not sent at once: the next request waits for it.  Before the output is added to. */
void connection_output_hold(struct http_connection *connection);

/* The reply to a request that was held by the lane is written, or is in the output: on to the next request after
 * it, or to the end. */
void connection_output_end(struct http_connection *connection);

/* An answer of the lane is in the output as far as it was not sent at once. */
void connection_output_flush(struct http_connection *connection);

/* Steps of the table of states. */
void connection_output_enter_flushing(struct http_connection *connection, enum connection_state from);
void connection_output_on_deadline(struct http_connection *connection);
void connection_output_on_written(struct bufferevent *bev, void *connection);
void connection_output_on_event(struct bufferevent *bev, short what, void *connection);
