/*
 * Early judgement, private to this layer: the transport of heads whose body is still to come.
 *
 * A request whose head alone is a reason to refuse it is refused before its body is read: for its caller (401,
 * 403), for its path and method (404, 405), or by its route.  A client that has asked for 100 (Continue) gets
 * the refusal in its place.
 */
#pragma once

#include <stddef.h>

struct http_connection;

/* As on_head of struct connection_env. */
void early_judge(struct http_connection *connection, const char *data, size_t len);
