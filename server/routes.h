/* Routes of one configuration: the router and its targets.  A reload makes new routes and frees the old ones.
 * Loop thread only. */
#pragma once

struct admin;
struct config;
struct http_server;
struct op_route;
struct operations;
struct router;
struct routes;
struct store;
struct styles;

/* Makes the routes of config.  Operations and styles must outlive the routes.  Returns 0 or -errno; the log says
 * why. */
__attribute__((warn_unused_result)) int routes_new(const struct config *config, struct operations *operations,
	struct styles *styles, struct admin *admin, struct routes **ret_routes);

/* Creates the indexes of the routes' collections in the store, which must be open.  Returns 0 or -errno. */
__attribute__((warn_unused_result)) int routes_prepare(struct routes *routes, struct store *store);

const struct router *routes_router(const struct routes *routes);

/* Returns the operations' route with that key (lent), or NULL. */
struct op_route *routes_find(const struct routes *routes, const char *key);

void routes_free(struct routes *routes); /* NULL is allowed */
