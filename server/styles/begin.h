/* The beginning of a call: what the router calls for a route, and what judges a body after its 202. */
#pragma once

#include <stdbool.h>

struct http_request;
struct op;

/* Handles a call.  route is a struct style_route.  As http_handler_fn. */
void call_begin(struct http_request *request, void *route);

/* Refuses a call before its body has come, if its head is wrong.  As http_refuse_fn. */
bool call_refuse_early(struct http_request *request, void *route);

/* Begins to judge the body of an operation that was accepted before.  As op_judge_fn. */
void call_late_begin(void *route, struct op *op);
