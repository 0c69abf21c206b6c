/*
 * The fast lane, private to this layer: the transport of requests that are answered where their bytes have
 * come in, before evhttp parses them.
 *
 * The lane takes a GET or HEAD that the guard has passed whole and that has no body, if the target of its path
 * can answer at once from memory or lets the lane call its handler, which may reply later.  Such a request
 * goes through the same router, log-in, handler and reply as any other, and is counted and logged like it.
 * The lane leaves every other request to evhttp untouched, and evhttp never knows of its own.
 */
#pragma once

#include "http/guard.h"

#include <stdbool.h>
#include <stddef.h>

struct dispatch;
struct http_connection;
struct http_request;

/* As on_whole of struct connection_env. */
bool lane_answer(struct http_connection *connection, const char *data, size_t len,
	const struct guard_note *note, int64_t *ret_began_us);

/* Whether a request has come by the lane. */
bool lane_has(const struct http_request *request);

void lane_init(struct dispatch *dispatch);

/* Frees the memory that is kept for requests; none is held. */
void lane_fini(struct dispatch *dispatch);
