/* Collections in the configuration: their table of settings, and the checks of their route. */
#include "common/cleanup.h"
#include "common/json/json.h"
#include "config/files.h"
#include "config/pattern.h"
#include "config/private.h"
#include "config/values.h"

#include <stdlib.h>
#include <string.h>

#define ROUTE(kind, member) SETTING_PLACE(kind, struct config_route, member)

void
config_read_route_schema(struct settings *settings, struct json_object *value, void *owner)
{
	struct config_route *route = owner;

	if (route->schema)
		mistakes_add(&settings->mistakes, "the route already has a schema");
	else
		route->schema = config_read_schema(settings, value);
}

void
config_free_route_schema(void *owner)
{
	struct config_route *route = owner;

	json_object_put(route->schema);
	route->schema = NULL;
}

static void finish_on_change(struct settings *settings, struct json_object *value, void *owner);

static const struct setting on_change_rows[] = {
	{.name = "program",
		ROUTE(SETTING_OBJECT, collection.on_change_program),
		.members = &config_program_table,
		.meaning = "The program that carries a change out."},
	{.name = "upstream",
		ROUTE(SETTING_OBJECT, collection.on_change_upstream),
		.members = &config_upstream_table,
		.meaning = "The upstream that carries a change out."},
	{.name = NULL},
};

static const struct setting_table on_change_table = {on_change_rows, finish_on_change};

/* Exactly one of program and upstream. */
static void
finish_on_change(struct settings *settings, struct json_object *value, void *owner)
{
	struct config_route *route = owner;
	bool has_program = settings_has(&on_change_table, value, "program");
	bool has_upstream = settings_has(&on_change_table, value, "upstream");

	if (has_program == has_upstream)
		mistakes_add(&settings->mistakes, "must have either \"program\" or \"upstream\"");
	route->collection.has_on_change = true;
	route->collection.on_change = has_upstream ? CONFIG_UPSTREAM : CONFIG_PROGRAM;
}

static const struct setting_choice delete_statuses[] = {{"204", 204}, {"200", 200}, {NULL, 0}};

static const struct setting collection_rows[] = {
	{.name = "name",
		ROUTE(SETTING_STRING, collection.name),
		.is_required = true,
		.convert = config_convert_collection_name,
		.meaning = "The collection's name, which is also the member that holds the resources in a "
			   "list."},
	{.name = "parent",
		ROUTE(SETTING_STRING, collection.parent),
		.fallback_note = "none",
		.meaning = "The collection that these resources belong to; the last {name} in the path is "
			   "the id of the parent resource."},
	{.name = "schema",
		.kind = SETTING_OWN,
		.read = config_read_route_schema,
		.free = config_free_route_schema,
		.type = "file, object or boolean",
		.fallback_note = "the route's",
		.meaning = "JSON Schema (2020-12) of a resource."},
	{.name = "unique",
		ROUTE(SETTING_NAMES, collection.unique),
		.max = 32,
		.fallback_note = "none",
		.meaning = "Members whose values must differ between the resources of one parent."},
	{.name = "index",
		ROUTE(SETTING_NAMES, collection.index),
		.max = 32,
		.fallback_note = "none",
		.meaning = "Members that get an index, because lists are often filtered by them."},
	{.name = "envelope",
		ROUTE(SETTING_NAMES, collection.envelope),
		.may_repeat = true,
		.min = 1,
		.max = 8,
		.fallback_note = "none",
		.meaning = "Members that wrap a resource in requests and responses, outermost first."},
	{.name = "delete_status",
		ROUTE(SETTING_CHOICE, collection.delete_status),
		.fallback = "204",
		.choices = delete_statuses,
		.meaning = "The status code of a synchronous DELETE."},
	{.name = "on_change",
		.kind = SETTING_OBJECT,
		.members = &on_change_table,
		.fallback_note = "nothing",
		.meaning =
			"The program or upstream that carries a change out while the resource is PENDING."},
	{.name = NULL},
};

const struct setting_table config_collection_table = {collection_rows, NULL};

/* Members of a resource that the server sets. */
static const char *const own_members[] = {
	"id", "status", "action", "version", "created_at", "updated_at", "status_message", "links", NULL};

static bool
is_own_member(const char *name)
{
	for (size_t i = 0; own_members[i]; i++)
		if (strcmp(own_members[i], name) == 0)
			return true;
	return false;
}

/* The ids of the items follow the path, and its parameters become members. */
static void
check_path(struct settings *settings, const char *path)
{
	if (path[strlen(path) - 1] == '/')
		mistakes_add_string(
			&settings->mistakes, path, "ends with a slash, but the collection's ids follow it");
	for (struct pattern_segment segment = {0}; pattern_next(path, &segment);) {
		CLEANUP_FREE char *name = xstrndup(segment.text, segment.len);
		if (segment.kind == PATTERN_REST)
			mistakes_add_string(&settings->mistakes, path,
				"has {%s...}, but the collection's ids follow it", name);
		else if (segment.kind == PATTERN_NAME && is_own_member(name))
			mistakes_add_string(&settings->mistakes, path,
				"has {%s}, but deferd sets a member of this name itself", name);
	}
}

void
config_check_collection(struct settings *settings, const struct config_route *route)
{
	size_t mark = mistakes_enter(&settings->mistakes, "path");

	if (route->path)
		check_path(settings, route->path);
	mistakes_leave(&settings->mistakes, mark);
	mark = mistakes_enter(&settings->mistakes, "methods");
	for (size_t i = 0; route->methods && route->methods[i]; i++) {
		size_t inner = mistakes_enter_index(&settings->mistakes, i);
		if (strcmp(route->methods[i], "OPTIONS") == 0)
			mistakes_add_string(
				&settings->mistakes, route->methods[i], "is not a method of collections");
		mistakes_leave(&settings->mistakes, inner);
	}
	mistakes_leave(&settings->mistakes, mark);
}
