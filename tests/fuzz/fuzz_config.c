/*
 * Fuzzes the reading of a configuration.  Whatever the text, what is told is whole lines, and a
 * configuration without mistakes has what config.h promises.
 */
#include "common/json/json.h"
#include "config/private.h"
#include "http/router.h"
#include "styles/style.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every mistake is a line without control characters and not empty. */
static void
check_lines(const struct mistakes *mistakes)
{
	size_t count = 0;

	assert(mistakes->pointer.len == 0);
	for (size_t i = 0; i < mistakes->lines.len; i++) {
		unsigned char c = (unsigned char)mistakes->lines.data[i];
		assert(c == '\n' || (c >= ' ' && c != 0x7f));
		assert(c != '\n' || (i > 0 && mistakes->lines.data[i - 1] != '\n'));
		count += c == '\n';
	}
	assert(count == mistakes->count);
	assert(count == 0 || mistakes->lines.data[mistakes->lines.len - 1] == '\n');
}

static void
check_program(const struct program_config *program)
{
	assert(program->argv && program->argv[0] && program->argv[0][0] == '/');
	assert(!program->working_directory || program->working_directory[0] == '/');
}

static void
check_route(const struct config_route *route)
{
	assert(route->path && route->path[0] == '/');
	assert(route->base_path);
	assert(route->methods && route->methods[0]);
	assert(route->queue_timeout_ms >= 0 && route->run_timeout_ms > 0 && route->keep_ms >= 0);
	assert(!route->style || !route->style->is_of_collections || route->work == CONFIG_COLLECTION);
	if (route->work == CONFIG_PROGRAM)
		check_program(&route->program);
	else if (route->work == CONFIG_UPSTREAM)
		assert(route->upstream.url && strncasecmp(route->upstream.url, "http", 4) == 0);
	else
		assert(route->collection.name && route->collection.delete_status != 0);
	if (route->work == CONFIG_COLLECTION && route->collection.has_on_change &&
		route->collection.on_change == CONFIG_PROGRAM)
		check_program(&route->collection.on_change_program);
}

/* Adds prefix and path to the router. */
static void
add_path(struct router *router, const char *prefix, const char *path, unsigned methods)
{
	char *pattern = xasprintf("%s%s", prefix, path);

	assert(router_add(router, pattern, methods, router) == 0);
	free(pattern);
}

static unsigned
monitor_methods(const struct style_monitor *monitor)
{
	return monitor->polls | monitor->cancels | monitor->handles;
}

static void
add_monitors(struct router *router, const char *base_path)
{
	for (const struct style *const *style = style_table; *style; style++) {
		for (const struct style_monitor *monitor = (*style)->monitors; monitor->path; monitor++) {
			char *pattern = xasprintf("%s%s", base_path, monitor->path);
			int error = router_add(router, pattern, monitor_methods(monitor), NULL);
			assert(error == 0 || error == -EEXIST);
			free(pattern);
		}
	}
}

static void
add_route(struct router *router, const struct config_route *route)
{
	char *pattern = xasprintf("%s%s", route->base_path, route->path);
	unsigned methods = 0;

	for (char **method = route->methods; *method; method++)
		methods |= http_method_find(*method);
	if (route->work == CONFIG_COLLECTION) {
		add_path(router, pattern, "/{id}", methods & ~(unsigned)HTTP_POST);
		methods &= HTTP_GET | HTTP_HEAD | HTTP_POST;
	}
	add_path(router, pattern, "", methods);
	const struct style_monitor *monitor = route->style ? route->style->below : NULL;
	for (; monitor && monitor->path; monitor++)
		add_path(router, pattern, monitor->path, monitor_methods(monitor));
	free(pattern);
}

/* What is no mistake, the router takes. */
static void
check_router(const struct config *config)
{
	struct router *router = router_new();

	add_monitors(router, "");
	for (size_t i = 0; i < config->route_count; i++)
		add_monitors(router, config->routes[i].base_path);
	for (size_t i = 0; i < config->route_count; i++)
		add_route(router, &config->routes[i]);
	router_free(router);
}

/* Where callers must log in, somebody can. */
static void
check_auth(const struct config *config)
{
	bool can = !config->has_auth || config->auth_basic || config->auth_bearer;

	for (size_t i = 0; i < config->listen_count; i++)
		can = can || config->listen[i].tls_client_ca;
	assert(can);
}

static void
check_config(const struct config *config)
{
	assert(config->listen_count > 0);
	for (size_t i = 0; i < config->listen_count; i++) {
		assert(config->listen[i].address);
		assert(!config->listen[i].tls_certificate == !config->listen[i].tls_key);
	}
	assert(config->workers > 0 && config->capacity > 0);
	assert(!config->state || config->state[0] == '/');
	check_auth(config);
	for (size_t i = 0; i < config->route_count; i++)
		check_route(&config->routes[i]);
	check_router(config);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_object *root = NULL;
	struct settings settings;

	config_begin(&settings, "/deferd.json", style_table);
	struct config *config = config_load(&settings, (const char *)data, size, &root);
	assert(config || settings.mistakes.count == 1);
	if (config && settings.mistakes.count == 0) {
		check_config(config);
	}
	check_lines(&settings.mistakes);
	config_free(config);
	json_object_put(root);
	config_end(&settings);
	return 0;
}
