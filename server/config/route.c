/* Routes in the configuration: their table of settings, and the checks of these settings together. */
#include "common/json/json.h"
#include "common/string_list.h"
#include "config/files.h"
#include "config/pattern.h"
#include "config/private.h"
#include "config/values.h"
#include "style/style.h"

#include <stdlib.h>
#include <string.h>

#define ROUTE(kind, member) SETTING_PLACE(kind, struct config_route, member)

/* Adds the values of "style": `"sync", "status"`. */
static void
add_style_names(struct text *text, const void *context)
{
	text_add_string(text, "\"sync\"");
	for (const struct style *const *style = context; *style; style++)
		if ((*style)->is_for_routes)
			text_addf(text, ", \"%s\"", (*style)->name);
}

static void
add_style_type(struct text *text, const void *context)
{
	text_add_string(text, "one of ");
	add_style_names(text, context);
}

static void
read_style(struct settings *settings, struct json_object *value, void *owner)
{
	struct config_route *route = owner;
	const char *name = json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
	struct text names = {0};

	route->style = NULL;
	if (strcmp(name, "sync") == 0)
		return;
	for (const struct style *const *style = settings->context; *style; style++) {
		if ((*style)->is_for_routes && strcmp((*style)->name, name) == 0) {
			route->style = *style;
			return;
		}
	}
	add_style_names(&names, settings->context);
	mistakes_add_value(&settings->mistakes, value, "is not one of %s", names.data);
	text_fini(&names);
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
		.kind = SETTING_OWN,
		.read = read_style,
		.fallback = "\"sync\"",
		.add_type = add_style_type,
		.meaning = "The style for calls that do not request one themselves."},
	{.name = "cors",
		ROUTE(SETTING_OBJECT, cors),
		.members = &config_cors_table,
		.fallback_note = "the server's",
		.meaning = "The pages of other origins that may call this route."},
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

/* The monitors of a style below the path of a route must have paths of their own. */
static void
check_below(struct settings *settings, const char *path, const struct style *style)
{
	const char *below = style->below[0].path;
	struct pattern_segment last = {0};

	while (pattern_next(path, &last))
		continue;
	if (last.kind == PATTERN_REST)
		mistakes_add_string(&settings->mistakes, path,
			"ends with {...}: style \"%s\" is polled at PATH%s, which {...} matches too",
			style->name, below);
	else if (last.len == 0)
		mistakes_add_string(&settings->mistakes, path,
			"ends with a slash: style \"%s\" could not be polled at PATH%s", style->name, below);
}

static void
check_style(struct settings *settings, const struct config_route *route, const struct work_kind *kind)
{
	const struct style *style = route->style;
	size_t mark = mistakes_enter(&settings->mistakes, "style");

	if (style && style->is_of_collections && kind && kind->work != CONFIG_COLLECTION)
		mistakes_add(&settings->mistakes, "\"%s\" needs a collection", style->name);
	mistakes_leave(&settings->mistakes, mark);
	mark = mistakes_enter(&settings->mistakes, "path");
	if (style && style->below[0].path && route->path)
		check_below(settings, route->path, style);
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
			route->methods = string_list_dup((char *const *)kind->methods);
		if (kind->work == CONFIG_COLLECTION)
			config_check_collection(settings, route);
	}
	route->has_cors = settings_has(&config_route_table, value, "cors");
	add_head(route);
	check_style(settings, route, kind);
	check_names(settings, value, route);
	config_check_schema(settings, route, settings_has(&config_route_table, value, "schema"));
}

const struct setting_table config_route_table = {route_rows, finish_route};
