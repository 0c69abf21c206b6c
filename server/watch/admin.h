/*
 * What operators ask over HTTP: /healthz, /readyz and /metrics, which answer on the admin listener, and GET
 * /operations, which answers admins on any (on an admin listener that only this machine reaches everybody is
 * one; to others it is 404).
 */
#pragma once

#include "http/request.h"

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

/* From now on /readyz says that the server goes down. */
void admin_set_draining(struct admin *admin);

/* Enters all of them into the router of the admin listener; and GET /operations, for admins, into that of the
 * front.  As router_add. */
__attribute__((warn_unused_result)) int admin_enter(struct admin *admin, struct router *router);
__attribute__((warn_unused_result)) int admin_enter_list(struct admin *admin, struct router *router);
