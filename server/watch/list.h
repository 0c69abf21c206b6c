/*
 * The list of operations: GET /operations?state=&route=&principal=&style=&min_age=&limit=&marker=, newest
 * first, as status documents; or ?id=A,B.  Admins see all of them, other callers their own.  A page is collected in many short turns of the loop, so that it delays nothing else, however many
 * operations are kept and however few match.  Loop thread only.
 */
#pragma once

#include "http/message/request.h"

struct operations;
struct timers;

/* Answers the request, now or in a later turn. */
void list_reply(struct http_request *request, struct operations *operations, struct timers *timers);
