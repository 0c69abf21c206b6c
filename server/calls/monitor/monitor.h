/* Monitors: reading an operation, at once or when it has ended (Prefer: wait), and cancelling it. */
#pragma once

#include "http/message/request.h"
#include "http/message/router.h"
#include "style/style.h"

#include <stddef.h>

/* A monitor as the router's target. */
struct monitor_target {
	struct http_target target;
	struct style_place place;
};

/* The rest of the OpenAPI path item of a monitor that answers with the final response. */
#define STYLE_FINAL_RESPONSE \
	"  'parameters': [{'$ref': '#/components/parameters/wait'}]," \
	"  'responses': {" \
	"   '202': {'$ref': '#/components/responses/Accepted'}," \
	"   '404': {'$ref': '#/components/responses/NotFound'}," \
	"   '410': {'$ref': '#/components/responses/Expired'}," \
	"   'default': {'description': 'The final response of the call, exactly.'}}}}"

/* Makes a monitor a target of the router.  route is NULL for one below a base path. */
void monitor_target_init(struct monitor_target *target, struct styles *styles, struct style_route *route,
	const struct style *style, const struct style_monitor *monitor);
/* Enters targets below path.  As router_add. */
__attribute__((warn_unused_result)) int monitor_targets_enter(
	struct monitor_target *targets, size_t count, struct router *router, const char *path);

/* Enters the monitors of all styles, below base_path ("" and those of the routes).  As router_add. */
__attribute__((warn_unused_result)) int styles_enter_monitors(
	struct styles *styles, struct router *router, const char *base_path);

/* The operation in the request's path, NULL if it is unknown or of another principal. */
struct op *monitor_find(const struct http_request *request, const struct style_place *place);

/* Answers with reply when op has ended, or after wait_ms; 0: at once. */
void monitor_hold(struct http_request *request, struct styles *styles, style_reply_fn *reply, struct op *op,
	int64_t wait_ms);

/* Answers a poll with reply, and a cancel as style does. */
void monitor_get(struct http_request *request, struct styles *styles, style_reply_fn *reply, struct op *op);
void monitor_cancel(
	struct http_request *request, struct styles *styles, const struct style *style, struct op *op);
/* Removes the result of op, which is not expired, and calls reply once that is durable; 409 while op has not ended. */
void monitor_remove(struct http_request *request, const struct style *style, struct op *op,
	void (*reply)(struct http_request *request));

/* Whether monitor_get answers before it returns, and without reading a file. */
bool monitor_is_at_hand(const struct http_request *request, const struct op *op);
bool monitor_may_use(const struct http_request *request, const struct op *op);
