/* Checks between settings of the whole configuration: addresses that need auth or are repeated, users without
 * auth, names and parents of collections. */
#include "common/json/json.h"
#include "config/address.h"
#include "config/pattern.h"
#include "config/private.h"

#include <stdlib.h>
#include <string.h>

size_t
config_enter_route(struct settings *settings, size_t index, const char *member)
{
	size_t mark = mistakes_enter(&settings->mistakes, "routes");

	mistakes_enter_index(&settings->mistakes, index);
	mistakes_enter(&settings->mistakes, member);
	return mark;
}

/* The listeners, followed by the admin listener. */
static const struct config_listen *
listen_at(const struct config *config, size_t index)
{
	return index < config->listen_count ? &config->listen[index] : &config->admin;
}

static bool
is_listened_on_before(const struct config *config, size_t index)
{
	const char *address = listen_at(config, index)->address;

	for (size_t i = 0; i < index; i++) {
		const char *other = config->listen[i].address;
		if (other && strcmp(other, address) == 0)
			return !config_address_is_any_port(address);
	}
	return false;
}

static void
check_address(struct settings *settings, const struct config *config, size_t index)
{
	const char *address = listen_at(config, index)->address;

	if (!config->has_auth && !config_address_is_local(address))
		mistakes_add_string(&settings->mistakes, address,
			"is neither loopback nor a unix socket: this needs \"auth\"");
	if (is_listened_on_before(config, index))
		mistakes_add_string(&settings->mistakes, address, "is listed twice");
}

static void
check_addresses(struct settings *settings, struct json_object *root, const struct config *config)
{
	struct json_object *value;

	for (size_t i = 0; i <= config->listen_count; i++) {
		if (!listen_at(config, i)->address)
			continue;
		size_t mark = config_enter_listen(settings, root, config, i, &value);
		if (json_object_is_type(value, json_type_object))
			mistakes_enter(&settings->mistakes, "address");
		check_address(settings, config, i);
		mistakes_leave(&settings->mistakes, mark);
	}
}

static bool
asks_for_certificates(const struct config *config)
{
	for (size_t i = 0; i < config->listen_count; i++)
		if (config->listen[i].tls_client_ca)
			return true;
	return false;
}

/* With auth set, at least one way to log in must exist. */
static void
check_auth(struct settings *settings, struct json_object *root, const struct config *config)
{
	struct json_object *auth = json_find(root, "auth", NULL);

	if (!json_object_is_type(auth, json_type_object) || json_find(auth, "basic", NULL) ||
		json_find(auth, "bearer", NULL) || asks_for_certificates(config))
		return;
	size_t mark = mistakes_enter(&settings->mistakes, "auth");
	mistakes_add(&settings->mistakes, "has neither \"basic\" nor \"bearer\", and no \"listen\" has a "
					  "\"client_ca\": nobody could log in");
	mistakes_leave(&settings->mistakes, mark);
}

static void
check_users(struct settings *settings, const struct config *config)
{
	for (size_t i = 0; i < config->route_count && !config->has_auth; i++) {
		if (!config->routes[i].users)
			continue;
		size_t mark = config_enter_route(settings, i, "users");
		mistakes_add(&settings->mistakes, "needs \"auth\": without it callers have no names");
		mistakes_leave(&settings->mistakes, mark);
	}
}

/* The collections of a configuration, in order of their names. */
struct collections {
	const struct config_route **routes;
	size_t count;
};

static int
compare_names(const void *a, const void *b)
{
	const struct config_route *const *one = a, *const *other = b;
	int order = strcmp((*one)->collection.name, (*other)->collection.name);

	return order ? order : (*one > *other) - (*one < *other);
}

static int
compare_to_name(const void *name, const void *element)
{
	const struct config_route *const *route = element;

	return strcmp(name, (*route)->collection.name);
}

static void
collect(const struct config *config, struct collections *ret_collections)
{
	ret_collections->routes = xcalloc(config->route_count, sizeof *ret_collections->routes);
	ret_collections->count = 0;
	for (size_t i = 0; i < config->route_count; i++)
		if (config->routes[i].collection.name)
			ret_collections->routes[ret_collections->count++] = &config->routes[i];
	qsort(ret_collections->routes, ret_collections->count, sizeof *ret_collections->routes,
		compare_names);
}

static size_t
enter_collection(struct settings *settings, const struct config *config, const struct config_route *route,
	const char *member)
{
	size_t mark = config_enter_route(settings, (size_t)(route - config->routes), "collection");

	mistakes_enter(&settings->mistakes, member);
	return mark;
}

static void
check_repeated(struct settings *settings, const struct config *config, const struct collections *collections)
{
	for (size_t i = 1; i < collections->count; i++) {
		const struct config_route *route = collections->routes[i];
		const char *name = route->collection.name;
		if (strcmp(collections->routes[i - 1]->collection.name, name) != 0)
			continue;
		size_t mark = enter_collection(settings, config, route, "name");
		mistakes_add_string(&settings->mistakes, name, "is the name of another collection");
		mistakes_leave(&settings->mistakes, mark);
	}
}

static void
report_unknown_parent(struct settings *settings, const struct config *config,
	const struct config_route *route, const struct collections *collections)
{
	const char **names = xcalloc(collections->count + 1, sizeof *names);

	for (size_t i = 0; i < collections->count; i++)
		names[i] = collections->routes[i]->collection.name;
	const char *meant = text_nearest(route->collection.parent, names);
	size_t mark = enter_collection(settings, config, route, "parent");
	if (meant)
		mistakes_add_string(&settings->mistakes, route->collection.parent,
			"is not a collection (did you mean \"%s\"?)", meant);
	else
		mistakes_add_string(&settings->mistakes, route->collection.parent, "is not a collection");
	mistakes_leave(&settings->mistakes, mark);
	free(names);
}

/* The path of a nested collection has the parameters of the parent's path and one for the parent's id. */
static void
check_nesting(struct settings *settings, const struct config *config, const struct config_route *route,
	const struct config_route *parent)
{
	size_t wanted = 0;

	if (!route->path || (parent && !parent->path))
		return;
	if (parent)
		wanted = pattern_count_names(parent->path) + 1;
	if (pattern_count_names(route->path) == wanted)
		return;
	size_t mark = config_enter_route(settings, (size_t)(route - config->routes), "path");
	if (parent)
		mistakes_add_string(&settings->mistakes, route->path,
			"must have one parameter more than the path of its parent, \"%s\"", parent->path);
	else
		mistakes_add_string(&settings->mistakes, route->path,
			"has a parameter, but the collection has no \"parent\"");
	mistakes_leave(&settings->mistakes, mark);
}

static void
check_parents(struct settings *settings, const struct config *config, const struct collections *collections)
{
	for (size_t i = 0; i < config->route_count; i++) {
		const struct config_route *route = &config->routes[i];
		const struct config_route **parent = NULL;
		if (!route->collection.name)
			continue;
		if (route->collection.parent)
			parent = bsearch(route->collection.parent, collections->routes, collections->count,
				sizeof *collections->routes, compare_to_name);
		if (route->collection.parent && !parent)
			report_unknown_parent(settings, config, route, collections);
		else
			check_nesting(settings, config, route, parent ? *parent : NULL);
	}
}

void
config_check(struct settings *settings, struct json_object *root, const struct config *config)
{
	struct collections collections;

	check_addresses(settings, root, config);
	check_auth(settings, root, config);
	check_users(settings, config);
	collect(config, &collections);
	check_repeated(settings, config, &collections);
	check_parents(settings, config, &collections);
	free(collections.routes);
}
