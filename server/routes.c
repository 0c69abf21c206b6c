/* Routes of one configuration: makes the router, the operations' routes and the collections. */
#include "routes.h"

#include "calls/call/styles.h"
#include "calls/monitor/monitor.h"
#include "calls/routes.h"
#include "collections.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/string_list.h"
#include "common/text.h"
#include "config/config.h"
#include "http/message/router.h"
#include "operations/operations.h"
#include "store/resources.h"
#include "styles/style_table.h"
#include "watch/admin.h"
#include "work/collection.h"
#include "work/program/program.h"
#include "work/upstream/upstream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One route of the configuration. */
struct route {
	char *pattern;		   /* with its base path */
	char *key;		   /* "/thumbnails/{size}": names it over restarts */
	unsigned methods;	   /* bits of enum http_method */
	struct op_route *op_route; /* lent by style_route */
	struct style_route *style_route;
	struct store_collection *collection; /* a reference; NULL: it is none */
};

/* How long a result is kept where neither the configuration nor the style decides: an hour. */
#define KEEP_MS (60 * 60 * 1000)

struct routes {
	struct router *router;
	struct route *routes; /* count of them */
	size_t count;
};

/* The work of a collection carries its changes out. */
static int
make_collection_work(
	const struct config *whole, const struct config_collection *config, struct work **ret_work)
{
	struct upstream_config upstream = config->on_change_upstream;
	struct work *inner = NULL;
	int rc = 0;

	upstream.trusted_proxies = whole->trusted_proxies;
	if (config->has_on_change && config->on_change == CONFIG_PROGRAM)
		rc = program_new(&config->on_change_program, &inner);
	else if (config->has_on_change)
		rc = upstream_new(&upstream, &inner);
	if (rc == 0)
		*ret_work = collection_new(inner);
	return rc;
}

static int
make_work(const struct config *whole, const struct config_route *config, struct work **ret_work)
{
	if (config->work == CONFIG_PROGRAM)
		return program_new(&config->program, ret_work);
	if (config->work == CONFIG_COLLECTION)
		return make_collection_work(whole, &config->collection, ret_work);
	if (config->work == CONFIG_UPSTREAM) {
		struct upstream_config upstream = config->upstream;
		upstream.may_repeat = config->rerun;
		upstream.trusted_proxies = whole->trusted_proxies;
		return upstream_new(&upstream, ret_work);
	}
	return -ENOTSUP;
}

static unsigned
method_set(const struct config_route *config)
{
	unsigned set = 0;

	for (char **method = config->methods; *method; method++)
		set |= http_method_find(*method);
	return set;
}

/* The first route of a path; NULL if there is none. */
static const struct route *
find_path(const struct routes *routes, const char *pattern)
{
	for (size_t i = 0; i < routes->count; i++)
		if (strcmp(routes->routes[i].pattern, pattern) == 0)
			return &routes->routes[i];
	return NULL;
}

/* A route is known by its path, so that its methods may change.  Where several share a path, the later ones are known by
 * their methods as well. */
static char *
make_key(const struct routes *routes, const struct route *route)
{
	struct text key = {0};

	for (unsigned bit = 1; find_path(routes, route->pattern) && bit <= route->methods; bit <<= 1)
		if (route->methods & bit)
			text_addf(&key, "%s%s", key.len ? "," : "", http_method_name(bit));
	text_addf(&key, "%s%s", key.len ? " " : "", route->pattern);
	return text_take(&key);
}

static int64_t
keep_ms(const struct config_route *config)
{
	if (config->keep_ms)
		return config->keep_ms;
	return config->style && config->style->keep_ms ? config->style->keep_ms : KEEP_MS;
}

static struct op_route *
make_op_route(const struct config_route *config, const struct route *route, struct operations *operations,
	struct work *work)
{
	/* Without on_change a change has no side effects: it can always run again, and interrupting it would
	 * only lose it. */
	bool is_harmless = config->work == CONFIG_COLLECTION && !config->collection.has_on_change;
	struct op_route_config op_config = {
		.key = route->key,
		.work = work,
		.concurrency = config->concurrency,
		.queue = config->queue == CONFIG_NO_LIMIT ? OP_NO_LIMIT : config->queue,
		.queue_timeout_ms = config->queue_timeout_ms,
		.run_timeout_ms = config->run_timeout_ms,
		.keep_ms = keep_ms(config),
		.keep_timed_out_ms = config->keep_timed_out_ms,
		.max_result_bytes = config->max_result_bytes,
		.rerun = config->rerun || is_harmless,
		.dialect = config->style ? config->style->dialect : PROBLEM_PLAIN,
		.collection = route->collection,
	};

	return operations_add_route(operations, &op_config);
}

static int
enter_route(struct routes *routes, const struct config *whole, const struct config_route *config,
	struct operations *operations, struct styles *styles)
{
	struct route *route = &routes->routes[routes->count];
	struct work *work = NULL;
	int rc = make_work(whole, config, &work);

	if (rc < 0)
		return rc;
	route->collection = config->work == CONFIG_COLLECTION ? route_collection_new(whole, config) : NULL;
	route->pattern = xasprintf("%s%s", config->base_path, config->path);
	route->methods = method_set(config);
	route->key = make_key(routes, route);
	route->op_route = make_op_route(config, route, operations, work);
	work_unref(work);
	struct style_route_config style_config = {
		.pattern = route->pattern,
		.op_route = route->op_route,
		.style = config->style,
		.query = config->query,
		.request_types = config->request_types,
		.users = config->users,
		.max_body_bytes = config->max_body_bytes,
		.cors = config->has_cors ? &config->cors : NULL,
		.idempotency_required = config->idempotency_required,
		.keeps_credentials = config->work == CONFIG_UPSTREAM && config->upstream.forward_credentials,
		.collection = route->collection,
		.has_on_change = config->collection.has_on_change,
		.members = route_members_new(config),
	};
	rc = route_schemas_new(config, &style_config.schema, &style_config.quick_schema);
	route->style_route = style_route_new(styles, &style_config);
	string_list_free(style_config.members);
	routes->count++;
	return rc < 0 ? rc : style_route_enter(route->style_route, routes->router, route->methods);
}

/* Adds the monitors at the root and below the base path of every route. */
static int
enter_monitors(struct routes *routes, const struct config *config, struct styles *styles)
{
	int rc = styles_enter_monitors(styles, routes->router, "");

	for (size_t i = 0; rc == 0 && i < config->route_count; i++) {
		const char *base_path = config->routes[i].base_path;
		if (base_path[0] == '\0')
			continue;
		rc = styles_enter_monitors(styles, routes->router, base_path);
		if (rc == -EEXIST)
			rc = 0; /* another route has the same base path */
	}
	return rc;
}

int
routes_new(const struct config *config, struct operations *operations, struct styles *styles,
	struct admin *admin, struct routes **ret_routes)
{
	struct routes *routes = xcalloc(1, sizeof *routes);
	int rc;

	routes->router = router_new();
	routes->routes = xcalloc(config->route_count, sizeof *routes->routes);
	rc = enter_monitors(routes, config, styles);
	if (rc == 0)
		rc = admin_enter_list(admin, routes->router);
	for (size_t i = 0; rc == 0 && i < config->route_count; i++) {
		rc = enter_route(routes, config, &config->routes[i], operations, styles);
		if (rc < 0)
			log_error("cannot create route", "path=%s error=%s", config->routes[i].path,
				strerrorname_np(-rc));
	}
	if (rc < 0) {
		routes_free(routes);
		return rc;
	}
	*ret_routes = routes;
	return 0;
}

int
routes_prepare(struct routes *routes, struct store *store)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < routes->count; i++)
		if (routes->routes[i].collection)
			rc = store_add_collection(store, routes->routes[i].collection);
	return rc;
}

const struct router *
routes_router(const struct routes *routes)
{
	return routes->router;
}

/* Whether one of the methods at the beginning of a key, "POST,PUT /x", is one of set. */
static bool
has_method(const char *key, unsigned set)
{
	bool has = false;

	for (size_t len; *key != ' ' && *key; key += len + (key[len] == ',')) {
		len = strcspn(key, ", ");
		CLEANUP_FREE char *name = xstrndup(key, len);
		has |= (http_method_find(name) & set) != 0;
	}
	return has;
}

/* Before 0.2 a key began with the route's methods. */
static struct op_route *
find_by_methods(const struct routes *routes, const char *key)
{
	const char *space = strchr(key, ' ');
	struct op_route *found = NULL;

	for (size_t i = 0; space && i < routes->count; i++) {
		const struct route *route = &routes->routes[i];
		if (strcmp(route->pattern, space + 1) != 0)
			continue;
		if (has_method(key, route->methods))
			return route->op_route;
		found = found ? found : route->op_route;
	}
	return found;
}

struct op_route *
routes_find(const struct routes *routes, const char *key)
{
	for (size_t i = 0; i < routes->count; i++)
		if (strcmp(routes->routes[i].key, key) == 0)
			return routes->routes[i].op_route;
	return find_by_methods(routes, key);
}

void
routes_free(struct routes *routes)
{
	if (!routes)
		return;
	for (size_t i = 0; i < routes->count; i++) {
		style_route_unref(routes->routes[i].style_route);
		store_collection_unref(routes->routes[i].collection);
		free(routes->routes[i].pattern);
		free(routes->routes[i].key);
	}
	router_free(routes->router);
	free(routes->routes);
	free(routes);
}
