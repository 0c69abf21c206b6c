/*
 * HTTP endpoints for operators: /healthz, /readyz and /metrics on the admin listener, and GET /operations on
 * every listener.  The list of operations is for admins and is 404 for everyone else.  On an admin listener that
 * only this machine can reach, every caller is an admin.  Loop thread only.
 */
#pragma once

#include "http/message/request.h"

struct metrics;
struct operations;
struct store;
struct timers;

struct admin_sources {
	struct operations *operations;
	struct timers *timers;
	struct store *store;
	struct metrics *metrics;
};

struct admin;
struct admin *admin_new(const struct admin_sources *sources);
void admin_free(struct admin *admin); /* NULL is allowed */

/* From now on /readyz answers 503, because the server is draining. */
void admin_set_draining(struct admin *admin);

/* admin_enter adds all endpoints to the admin listener's router; admin_enter_list adds GET /operations to the
 * public router.  They return what router_add returns. */
__attribute__((warn_unused_result)) int admin_enter(struct admin *admin, struct router *router);
__attribute__((warn_unused_result)) int admin_enter_list(struct admin *admin, struct router *router);
