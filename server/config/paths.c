/*
 * Check for conflicting paths: of routes with each other, and of routes with monitors.
 *
 * A route uses the shape of its pattern after its base path.  A collection also uses the shape of its items, and
 * some styles use paths below the route or the item, where operations are polled.  Two uses of one shape must not
 * share a method.  Monitors have reserved paths, at the root and below every base path.  Two patterns that can match
 * the same path but differ in shape are allowed, because the more literal one takes precedence.
 */
#include "config/pattern.h"
#include "config/private.h"
#include "http/router.h"
#include "style/style.h"

#include <stdlib.h>
#include <string.h>

/* One use of a shape by a route. */
struct use {
	char *shape;	  /* "/bc/rest/zones/{}" */
	unsigned methods; /* of enum http_method */
	size_t route;
};

struct uses {
	struct use *items;
	size_t count;
};

#define METHOD_BITS 8

/* The path of an item has one parameter more than the collection's. */
_Static_assert(PATTERN_NAMES_MAX < ROUTER_PARAMS_MAX, "the router takes every pattern and its items");

/* A route uses its path, its items, and the monitors of its style below both. */
#define USES_OF_ROUTE (2 + 2 * STYLE_MONITORS_MAX)

static unsigned
method_bits(char *const *methods)
{
	unsigned bits = 0;

	for (; methods && *methods; methods++)
		bits |= http_method_find(*methods);
	return bits;
}

static void
add_use(struct uses *uses, size_t route, unsigned methods, char *shape)
{
	uses->items[uses->count++] = (struct use){.shape = shape, .methods = methods, .route = route};
}

/* Adds the monitors that the route's style has below shape. */
static void
add_below(struct uses *uses, const struct config_route *route, size_t index, const char *shape)
{
	if (!route->style)
		return;
	for (const struct style_monitor *monitor = route->style->below; monitor->path; monitor++) {
		unsigned methods = monitor->polls | monitor->cancels | monitor->handles;
		struct text text = {0};
		text_add_string(&text, shape);
		if (monitor->path[0])
			pattern_add_shape(&text, monitor->path);
		add_use(uses, index, methods | (methods & HTTP_GET ? HTTP_HEAD : 0), text_take(&text));
	}
}

static void
add_route(struct uses *uses, const struct config_route *route, size_t index)
{
	unsigned methods = method_bits(route->methods);
	bool is_collection = route->work == CONFIG_COLLECTION;
	struct text text = {0};

	text_add_string(&text, route->base_path);
	pattern_add_shape(&text, route->path);
	char *shape = text_take(&text);
	add_below(uses, route, index, shape);
	if (is_collection) {
		char *item = xasprintf("%s/{}", shape);
		add_below(uses, route, index, item);
		add_use(uses, index, methods & ~(unsigned)HTTP_POST, item);
		methods &= HTTP_GET | HTTP_HEAD | HTTP_POST;
	}
	add_use(uses, index, methods, shape);
}

static void
add_routes(struct uses *uses, const struct config *config)
{
	uses->items = xcalloc(config->route_count * USES_OF_ROUTE, sizeof *uses->items);
	for (size_t i = 0; i < config->route_count; i++)
		if (config->routes[i].path && config->routes[i].base_path)
			add_route(uses, &config->routes[i], i);
}

static int
compare_uses(const void *a, const void *b)
{
	const struct use *one = a, *other = b;
	int order = strcmp(one->shape, other->shape);

	return order ? order : (one->route > other->route) - (one->route < other->route);
}

static void
report_taken(struct settings *settings, const struct use *use, unsigned method, size_t by)
{
	size_t mark = config_enter_route(settings, use->route, "path");

	mistakes_add(&settings->mistakes, "%s %s is already taken by /routes/%zu",
		http_method_name(1u << method), use->shape, by);
	mistakes_leave(&settings->mistakes, mark);
}

/* Checks the uses of one shape, in order of their routes.  Reports each conflict once, with the first route that
 * has the method. */
static void
check_shape(struct settings *settings, const struct use *uses, size_t count)
{
	size_t taken_by[METHOD_BITS];
	unsigned taken = 0;

	for (size_t i = 0; i < count; i++) {
		unsigned common = taken & uses[i].methods;
		if (common) {
			unsigned method = (unsigned)__builtin_ctz(common);
			report_taken(settings, &uses[i], method, taken_by[method]);
		}
		for (unsigned method = 0; method < METHOD_BITS; method++)
			if ((uses[i].methods & ~taken) & 1u << method)
				taken_by[method] = uses[i].route;
		taken |= uses[i].methods;
	}
}

static void
check_shapes(struct settings *settings, struct uses *uses)
{
	size_t end;

	qsort(uses->items, uses->count, sizeof *uses->items, compare_uses);
	for (size_t start = 0; start < uses->count; start = end) {
		for (end = start + 1; end < uses->count; end++)
			if (strcmp(uses->items[start].shape, uses->items[end].shape) != 0)
				break;
		check_shape(settings, uses->items + start, end - start);
	}
}

/* The base paths of a configuration, sorted, with the empty one. */
struct bases {
	const char **paths;
	size_t count;
};

static int
compare_strings(const void *a, const void *b)
{
	const char *const *one = a, *const *other = b;

	return strcmp(*one, *other);
}

static void
collect_bases(const struct config *config, struct bases *ret_bases)
{
	ret_bases->paths = xcalloc(config->route_count + 1, sizeof *ret_bases->paths);
	ret_bases->paths[0] = "";
	ret_bases->count = 1;
	for (size_t i = 0; i < config->route_count; i++)
		if (config->routes[i].base_path)
			ret_bases->paths[ret_bases->count++] = config->routes[i].base_path;
	qsort(ret_bases->paths, ret_bases->count, sizeof *ret_bases->paths, compare_strings);
}

static bool
is_base(const struct bases *bases, const char *data, size_t len)
{
	char *path = xstrndup(data, len);
	const char *key = path;
	bool found = bsearch(&key, bases->paths, bases->count, sizeof *bases->paths, compare_strings) != NULL;

	free(path);
	return found;
}

/* Returns the length of the monitor's path up to its id if path begins so, or 0.  A monitor without an id is that
 * path alone. */
static size_t
reserved_len(const struct style_monitor *monitor, const char *path)
{
	size_t len = strcspn(monitor->path, "{");

	if (strncmp(path, monitor->path, len) != 0 || (!monitor->path[len] && path[len]))
		return 0;
	return len;
}

static size_t
reserved_by_styles(const struct style *const *styles, const char *path)
{
	for (; *styles; styles++) {
		for (const struct style_monitor *monitor = (*styles)->monitors; monitor->path; monitor++) {
			size_t len = reserved_len(monitor, path);
			if (len)
				return len;
		}
	}
	return 0;
}

/* Returns the length of the base path and monitor path that shape begins with, or 0. */
static size_t
monitor_len(const struct style *const *styles, const struct bases *bases, const char *shape)
{
	for (const char *at = shape; at; at = strchr(at + 1, '/')) {
		size_t len = reserved_by_styles(styles, at);
		if (len && is_base(bases, shape, (size_t)(at - shape)))
			return (size_t)(at - shape) + len;
	}
	return 0;
}

/* Reports each route below a monitor's path, once. */
static void
check_monitors(struct settings *settings, const struct config *config, const struct uses *uses)
{
	struct bases bases;
	bool *is_reported = xcalloc(config->route_count, sizeof *is_reported);

	collect_bases(config, &bases);
	for (size_t i = 0; i < uses->count; i++) {
		const struct use *use = &uses->items[i];
		size_t len = monitor_len(settings->context, &bases, use->shape);
		if (len == 0 || is_reported[use->route])
			continue;
		is_reported[use->route] = true;
		size_t mark = config_enter_route(settings, use->route, "path");
		mistakes_add(&settings->mistakes, "%s is under %.*s, where operations are polled", use->shape,
			(int)len, use->shape);
		mistakes_leave(&settings->mistakes, mark);
	}
	free(bases.paths);
	free(is_reported);
}

void
config_check_paths(struct settings *settings, const struct config *config)
{
	struct uses uses = {0};

	add_routes(&uses, config);
	check_shapes(settings, &uses);
	check_monitors(settings, config, &uses);
	for (size_t i = 0; i < uses.count; i++)
		free(uses.items[i].shape);
	free(uses.items);
}
