/* Routes in the configuration: their table of settings, and the checks of these settings together. */
#include "common/json/json.h"
#include "config/files.h"
#include "config/pattern.h"
#include "config/private.h"
#include "config/values.h"

#include <stdlib.h>
#include <string.h>

#define ROUTE(kind, member) SETTING_PLACE(kind, struct config_route, member)

#define EACH_STYLE(DO) \
	DO("sync", CONFIG_SYNC) \
	DO("status", CONFIG_STATUS) \
	DO("token", CONFIG_TOKEN) \
	DO("resource", CONFIG_RESOURCE)

#define AS_CHOICE(name, style) {"\"" name "\"", style},
#define AS_NAME(name, style) [style] = name,

static const struct setting_choice styles[] = {EACH_STYLE(AS_CHOICE){NULL, 0}};
static const char *const style_names[] = {EACH_STYLE(AS_NAME)};

const char *
config_style_name(enum config_style style)
{
	return style_names[style];
}

static const struct setting_choice idempotencies[] = {
	{"\"optional\"", false}, {"\"required\"", true}, {NULL, 0}};

static const struct setting route_rows[] = {
	{.name = "path",
		ROUTE(SETTING_STRING, path),
		.is_required = true,
		.convert = config_convert_pattern,
		.type = "path pattern",
		.meaning = "The paths that the route matches; {name} matches one segment, {rest...} at the "
			   "end matches all remaining ones."},
	{.name = "base_path",
		ROUTE(SETTING_STRING, base_path),
		.may_be_empty = true,
		.convert = config_convert_base_path,
		.type = "path",
		.fallback = "\"\"",
		.meaning = "A prefix of the route's path; the monitors are served below it as well."},
	{.name = "methods",
		ROUTE(SETTING_NAMES, methods),
		.min = 1,
		.max = 7,
		.convert = config_convert_method,
		.fallback_note = "POST for a program, all methods for a collection or an upstream",
		.meaning = "The methods that the route accepts; GET includes HEAD."},
	{.name = "style",
		ROUTE(SETTING_CHOICE, style),
		.fallback = "\"sync\"",
		.choices = styles,
		.meaning = "The style for calls that do not request one themselves."},
	{.name = "query",
		ROUTE(SETTING_NAMES, query),
		.max = 100,
		.convert = config_convert_query_name,
		.fallback_note = "none",
		.meaning = "Query parameters that {name} may refer to; a call must send all of them that are "
			   "used."},
	{.name = "request_types",
		ROUTE(SETTING_NAMES, request_types),
		.min = 1,
		.max = 100,
		.convert = config_convert_media_range,
		.type = "list of media types",
		.fallback_note = "every type",
		.meaning = "Media types that a request body may have; a subtype may be a star."},
	{.name = "users",
		ROUTE(SETTING_NAMES, users),
		.min = 1,
		.max = 1000,
		.convert = config_convert_plain,
		.fallback_note = "everybody",
		.meaning = "The principals that may call the route."},
	{.name = "queue_timeout",
		ROUTE(SETTING_TIME, queue_timeout_ms),
		.min = 1,
		.max = 30 * CONFIG_DAY_MS,
		.fallback_note = "the server's",
		.meaning = "As queue_timeout of the server, for this route."},
	{.name = "run_timeout",
		ROUTE(SETTING_TIME, run_timeout_ms),
		.min = 1,
		.max = 30 * CONFIG_DAY_MS,
		.fallback_note = "the server's",
		.meaning = "As run_timeout of the server, for this route."},
	{.name = "keep",
		ROUTE(SETTING_TIME, keep_ms),
		.min = 1,
		.max = 365 * CONFIG_DAY_MS,
		.fallback_note = "the server's",
		.meaning = "As keep of the server, for this route."},
	{.name = "keep_timed_out",
		ROUTE(SETTING_TIME, keep_timed_out_ms),
		.min = 1,
		.max = 365 * CONFIG_DAY_MS,
		.fallback_note = "the server's",
		.meaning = "As keep_timed_out of the server, for this route."},
	{.name = "max_body",
		ROUTE(SETTING_SIZE, max_body_bytes),
		.min = 0,
		.max = CONFIG_BODY_MAX_BYTES,
		.fallback_note = "the server's",
		.meaning = "As max_body of the server, for this route."},
	{.name = "max_result",
		ROUTE(SETTING_SIZE, max_result_bytes),
		.min = 1,
		.max = CONFIG_RESULT_MAX_BYTES,
		.fallback_note = "the server's",
		.meaning = "As max_result of the server, for this route."},
	{.name = "concurrency",
		ROUTE(SETTING_WHOLE, concurrency),
		.min = 1,
		.max = 10000,
		.fallback_note = "as many as workers, or upstream_concurrency",
		.meaning = "The number of the route's calls that run at the same time."},
	{.name = "queue",
		ROUTE(SETTING_WHOLE, queue),
		.min = 0,
		.max = 10000000,
		.fallback_note = "limited by capacity only",
		.meaning = "The number of the route's calls that may wait; further calls get 429."},
	{.name = "rerun",
		ROUTE(SETTING_BOOLEAN, rerun),
		.fallback = "false",
		.meaning = "Whether a call that a crash interrupted runs again. Changes of a collection "
			   "without on_change always do."},
	{.name = "idempotency",
		ROUTE(SETTING_CHOICE, idempotency_required),
		.fallback = "\"optional\"",
		.choices = idempotencies,
		.meaning = "Whether a call must have an Idempotency-Key."},
	{.name = "schema",
		.kind = SETTING_OWN,
		.read = config_read_route_schema,
		.free = config_free_route_schema,
		.type = "file, object or boolean",
		.fallback_note = "none",
		.meaning = "JSON Schema (2020-12) of the request body."},
	{.name = "assert_formats",
		ROUTE(SETTING_BOOLEAN, assert_formats),
		.fallback = "false",
		.meaning = "Whether the keyword format in the schema is checked."},
	{.name = "program",
		ROUTE(SETTING_OBJECT, program),
		.members = &config_program_table,
		.meaning = "The work: a program."},
	{.name = "upstream",
		ROUTE(SETTING_OBJECT, upstream),
		.members = &config_upstream_table,
		.meaning = "The work: another HTTP server."},
	{.name = "collection",
		.kind = SETTING_OBJECT,
		.members = &config_collection_table,
		.meaning = "The work: JSON resources in deferd's own store."},
	{.name = NULL},
};

static const char *const program_methods[] = {"POST", NULL};
static const char *const collection_methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", NULL};

/* The kinds of work, and their default methods. */
static const struct work_kind {
	const char *name;
	enum config_work work;
	const char *const *methods;
} work_kinds[] = {
	{"program", CONFIG_PROGRAM, program_methods},
	{"upstream", CONFIG_UPSTREAM, config_methods},
	{"collection", CONFIG_COLLECTION, collection_methods},
};

/* Returns the one kind of work in value.  Reports a mistake and returns NULL if there is none or several. */
static const struct work_kind *
find_work(struct settings *settings, struct json_object *value)
{
	const struct work_kind *found = NULL;
	size_t count = 0;

	for (size_t i = 0; i < sizeof work_kinds / sizeof *work_kinds; i++) {
		if (settings_has(&config_route_table, value, work_kinds[i].name)) {
			found = &work_kinds[i];
			count++;
		}
	}
	if (count == 1)
		return found;
	mistakes_add(&settings->mistakes,
		"has %s: a route needs exactly one of \"program\", \"upstream\" and \"collection\"",
		count == 0 ? "no work" : "more than one kind of work");
	return NULL;
}

static size_t
count_strings(char *const *strings)
{
	size_t count = 0;

	while (strings && strings[count])
		count++;
	return count;
}

static bool
has_string(char *const *strings, const char *string)
{
	for (; strings && *strings; strings++)
		if (strcmp(*strings, string) == 0)
			return true;
	return false;
}

static char **
copy_strings(const char *const *strings)
{
	size_t count = 0;

	while (strings[count])
		count++;
	char **copy = xcalloc(count + 1, sizeof *copy);
	for (size_t i = 0; i < count; i++)
		copy[i] = xstrdup(strings[i]);
	return copy;
}

/* Adds HEAD to methods with GET. */
static void
add_head(struct config_route *route)
{
	size_t count = count_strings(route->methods);

	if (!has_string(route->methods, "GET") || has_string(route->methods, "HEAD"))
		return;
	char **methods = xcalloc(count + 2, sizeof *methods);
	memcpy(methods, route->methods, count * sizeof *methods);
	methods[count] = xstrdup("HEAD");
	free(route->methods);
	route->methods = methods;
}

/* A name must not be a parameter of both the path and the query. */
static void
check_query(struct settings *settings, const struct config_route *route, char *const *path_names)
{
	size_t mark = mistakes_enter(&settings->mistakes, "query");

	for (size_t i = 0; route->query && route->query[i]; i++) {
		size_t inner = mistakes_enter_index(&settings->mistakes, i);
		if (has_string(path_names, route->query[i]))
			mistakes_add_string(
				&settings->mistakes, route->query[i], "is already a parameter of the path");
		mistakes_leave(&settings->mistakes, inner);
	}
	mistakes_leave(&settings->mistakes, mark);
}

static void
check_program_names(struct settings *settings, const struct config_route *route, const char *const *known)
{
	size_t mark = mistakes_enter(&settings->mistakes, "program");

	config_check_names(settings, &route->program, known);
	mistakes_leave(&settings->mistakes, mark);
	mark = mistakes_enter(&settings->mistakes, "collection");
	mistakes_enter(&settings->mistakes, "on_change");
	mistakes_enter(&settings->mistakes, "program");
	config_check_names(settings, &route->collection.on_change_program, known);
	mistakes_leave(&settings->mistakes, mark);
}

/* Checks the names in path, query and arguments together.  Skipped if path or query itself has a mistake. */
static void
check_names(struct settings *settings, struct json_object *value, const struct config_route *route)
{
	if (!route->path || (!route->query && settings_has(&config_route_table, value, "query")))
		return;
	char **path_names = pattern_names(route->path);
	size_t path_count = count_strings(path_names), query_count = count_strings(route->query);
	const char **known = xcalloc(path_count + query_count + 1, sizeof *known);

	memcpy(known, path_names, path_count * sizeof *known);
	for (char **name = route->query; name && *name; name++)
		if (**name) /* not a mistake */
			known[path_count++] = *name;
	check_query(settings, route, path_names);
	check_program_names(settings, route, known);
	free(known);
	for (char **name = path_names; *name; name++)
		free(*name);
	free(path_names);
}

/* Tokens are polled at the path with "/poll" behind it. */
static void
check_poll(struct settings *settings, const char *path)
{
	struct pattern_segment last = {0};

	while (pattern_next(path, &last))
		continue;
	if (last.kind == PATTERN_REST)
		mistakes_add_string(&settings->mistakes, path,
			"ends with {...}: tokens are polled at PATH/poll, which {...} matches too");
	else if (last.len == 0)
		mistakes_add_string(&settings->mistakes, path,
			"ends with a slash: tokens could not be polled at PATH/poll");
}

static void
check_style(struct settings *settings, const struct config_route *route, const struct work_kind *kind)
{
	size_t mark = mistakes_enter(&settings->mistakes, "style");

	if (route->style == CONFIG_RESOURCE && kind && kind->work != CONFIG_COLLECTION)
		mistakes_add(&settings->mistakes, "\"resource\" needs a collection");
	mistakes_leave(&settings->mistakes, mark);
	mark = mistakes_enter(&settings->mistakes, "path");
	if (route->style == CONFIG_TOKEN && route->path)
		check_poll(settings, route->path);
	mistakes_leave(&settings->mistakes, mark);
}

static void
finish_route(struct settings *settings, struct json_object *value, void *owner)
{
	struct config_route *route = owner;
	const struct work_kind *kind = find_work(settings, value);

	if (kind) {
		route->work = kind->work;
		if (!settings_has(&config_route_table, value, "methods"))
			route->methods = copy_strings(kind->methods);
		if (kind->work == CONFIG_COLLECTION)
			config_check_collection(settings, route);
	}
	add_head(route);
	check_style(settings, route, kind);
	check_names(settings, value, route);
	config_check_schema(settings, route, settings_has(&config_route_table, value, "schema"));
}

const struct setting_table config_route_table = {route_rows, finish_route};
