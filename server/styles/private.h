/* What the files of this layer share. */
#pragma once

#include "styles/preference.h"
#include "styles/style.h"

/* What the router knows of a monitor. */
struct monitor_target {
	struct http_target target;
	struct styles *styles;
	const struct style *style;
	const struct style_monitor *monitor; /* of style */
};

/* Threads that judge large bodies. */
#define JUDGES 2

struct styles {
	struct styles_config config;
	struct monitor_target *monitors; /* monitor_count of them */
	size_t monitor_count;
	struct pool *pool; /* judges large bodies */
};

struct style_route {
	unsigned references;
	struct styles *styles;
	struct style_route_config config; /* its strings and lists are the route's own */
	char *pattern;
	struct http_target call_target;
	struct http_target poll_target;
	struct http_target item_target; /* of a collection */
};

/* call.c: a call of a route; and what is refused of it before its body has come. */
void call_begin(struct http_request *request, void *route);
bool call_refuse_early(struct http_request *request, void *route);
struct style_route *style_route_ref(struct style_route *route);

/* style.c: of problems; whether whoever asks may use the route. */
enum problem_dialect style_route_dialect(const struct style_route *route);
bool style_route_may_call(const struct style_route *route, const struct http_request *request);

/* monitor.c: polls and cancels. */
void monitor_get(struct http_request *request, struct styles *styles, style_reply_fn *reply, struct op *op);
void monitor_cancel(
	struct http_request *request, struct styles *styles, enum problem_dialect dialect, struct op *op);
void monitor_reply_missing(struct http_request *request, enum problem_dialect dialect, const struct op *op);
/* Whether monitor_get answers before it returns, and without reading a file. */
bool monitor_is_at_hand(const struct http_request *request, const struct op *op);
bool monitor_may_use(const struct http_request *request, const struct op *op);
void read_preferences(const struct http_request *request, struct preferences *ret_preferences);

/* answer.c: pieces that answers are made of. */

/* Adds Cache-Control: no-store, and Retry-After where op has not ended: what every 202 and every monitor's
 * answer has. */
void answer_put_common(struct fields *fields, const struct op *op);
/* The same for a 202 that may be of an ended operation, joined by its key: there is no use in waiting, but
 * every 202 tells when to ask. */
void answer_put_accepted(struct fields *fields, const struct op *op);
/* Adds name with BASE, path and op's id as its value. */
void answer_put_url(struct fields *fields, const char *name, const struct http_request *request,
	const char *path, const struct op *op, const char *after);
/* Replies with a 202 that has the monitor's Location and the progress of op. */
void answer_pending(struct http_request *request, struct op *op, struct fields *fields);
/* Replies with op's final response; as a monitor's answer it is not to be cached. */
void answer_final(struct http_request *request, const struct op *op, struct fields *fields, bool as_monitor);
/* The whole body of the final response, for the caller to free; NULL if it cannot be read. */
char *answer_read_body(const struct op *op, size_t *ret_len);
/* Whether the final response says that it is JSON. */
bool answer_is_json(const struct op *op);
/* A refusal before an operation exists. */
void answer_problem(struct http_request *request, enum problem_dialect dialect, enum problem problem,
	int status, const char *detail, struct fields *fields);
