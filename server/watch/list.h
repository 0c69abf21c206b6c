/*
 * The list of operations: GET /operations?state=&route=&principal=&style=&min_age=&limit=&marker=, newest
 * first.  What is kept is looked through in many turns of the loop, so that nobody else waits for a page
 * however much there is and however few pass a filter.
 */
#pragma once

#include "http/request.h"

struct operations;
struct timers;

/* Ends the request, at once or in a while. */
void list_reply(struct http_request *request, struct operations *operations, struct timers *timers);
