/* The routes of one reading of the configuration: the router and what it leads to.  A reload makes new ones
 * and lets the old go. */
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

/* Makes the routes of config, which must outlive them and the calls that were made by them.  -errno; the log
 * says why. */
__attribute__((warn_unused_result)) int routes_new(const struct config *config, struct operations *operations,
	struct styles *styles, struct admin *admin, struct routes **ret_routes);

/* Makes the store ready for their collections; once it has been started.  -errno. */
__attribute__((warn_unused_result)) int routes_prepare(struct routes *routes, struct store *store);

const struct router *routes_router(const struct routes *routes);

/* Returns the operations' route with that key (lent), or NULL. */
struct op_route *routes_find(const struct routes *routes, const char *key);

void routes_free(struct routes *routes); /* NULL is allowed */
