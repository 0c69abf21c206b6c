/*
 * The list of operations: GET /operations?state=&route=&principal=&style=&min_age=&limit=&marker=, newest first.  A page looks at a bounded number of
 * operations, so that it costs the same with a million kept: with a filter that few pass it may be short, and still has a next.
 */
#pragma once

#include "http/request.h"

struct operations;

/* Ends the request. */
void list_reply(struct http_request *request, struct operations *operations);
