/* --explain: the calls of a route, their answers and their monitors in each style, with lines for curl. */
#include "openapi/explain.h"
#include "common/cleanup.h"
#include "config/config.h"
#include "config/pattern.h"
#include "http/message/router.h"
#include "openapi/parts.h"
#include "style/style.h"

#include <ctype.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

/* What the explanation of one route needs everywhere. */
struct explanation {
	const struct config *config;
	const struct config_route *route;
	const char *method; /* of the calls that are shown */
	char *path;	    /* with words in capitals for {name} */
	struct text *text;
};

static bool
is_safe(const char *method)
{
	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 || strcmp(method, "OPTIONS") == 0;
}

/* The method that is most likely to be called asynchronously. */
static const char *
pick_method(const struct config_route *route)
{
	static const char *const best[] = {"POST", "PUT", "PATCH", "DELETE"};

	for (size_t i = 0; i < sizeof best / sizeof *best; i++)
		for (char **method = route->methods; *method; method++)
			if (strcmp(*method, best[i]) == 0)
				return *method;
	return route->methods[0];
}

static void
add_capitals(struct text *text, const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		text_add_char(text, (char)toupper((unsigned char)name[i]));
}

/* curl would take braces for a pattern of its own. */
static char *
path_of(const struct config_route *route)
{
	struct pattern_segment segment = {0};
	struct text text = {0};

	text_add_string(&text, route->base_path);
	while (pattern_next(route->path, &segment)) {
		text_add_char(&text, '/');
		if (segment.kind == PATTERN_LITERAL)
			text_add(&text, segment.text, segment.len);
		else
			add_capitals(&text, segment.text, segment.len);
	}
	return text_take(&text);
}

/* Where the server is reached; a unix socket is an option of curl. */
static void
add_server(struct text *text, const struct config *config)
{
	const struct config_listen *listen = config->listen;

	if (config->public_url) {
		text_add_string(text, config->public_url);
		return;
	}
	text_add_string(text, listen->tls_certificate ? "https://" : "http://");
	text_add_string(text, strncmp(listen->address, "unix:", 5) == 0 ? "localhost" : listen->address);
}

static void
add_login(const struct explanation *explanation)
{
	const struct config *config = explanation->config;

	if (config->has_auth && config->auth_basic)
		text_add_string(explanation->text, " -u NAME");
	else if (config->has_auth && config->auth_bearer)
		text_add_string(explanation->text, " -H 'Authorization: Bearer TOKEN'");
	else if (config->has_auth)
		text_add_string(explanation->text, " --cert CERTIFICATE --key KEY");
}

/* Begins a line: "  curl -i -X POST". */
static void
begin_curl(const struct explanation *explanation, const char *method)
{
	const struct config *config = explanation->config;

	text_add_string(explanation->text, "  curl -i");
	if (strcmp(method, "HEAD") == 0)
		text_add_string(explanation->text, " --head");
	else if (strcmp(method, "GET") != 0)
		text_addf(explanation->text, " -X %s", method);
	if (!config->public_url && strncmp(config->listen->address, "unix:", 5) == 0)
		text_addf(explanation->text, " --unix-socket '%s'", config->listen->address + 5);
	add_login(explanation);
}

static void
add_body(const struct explanation *explanation)
{
	const struct config_route *route = explanation->route;
	const char *method = explanation->method;
	const char *type = route->schema || route->work == CONFIG_COLLECTION ? "application/json"
			   : route->request_types			     ? route->request_types[0]
									     : NULL;

	if (is_safe(method) || strcmp(method, "DELETE") == 0)
		return;
	if (type && strchr(type, '*'))
		text_addf(explanation->text, " -H 'Content-Type: %.*sTYPE'", (int)strcspn(type, "*"), type);
	else if (type)
		text_addf(explanation->text, " -H 'Content-Type: %s'", type);
	text_add_string(explanation->text, " --data-binary @FILE");
}

/* The query parameters that the route takes, and the one that asks for a style (NULL: none). */
static void
add_query(const struct explanation *explanation, const char *asks)
{
	char separator = '?';

	for (char **name = explanation->route->query; name && *name; name++) {
		text_addf(explanation->text, "%c%s=", separator, *name);
		add_capitals(explanation->text, *name, strlen(*name));
		separator = '&';
	}
	if (asks)
		text_addf(explanation->text, "%c%s", separator, asks);
}

/* One call; query and field ask for a style (NULL: they do not). */
static void
add_call(const struct explanation *explanation, const char *query, const char *field)
{
	begin_curl(explanation, explanation->method);
	if (explanation->route->idempotency_required && !is_safe(explanation->method))
		text_add_string(explanation->text, " -H 'Idempotency-Key: KEY'");
	if (field)
		text_addf(explanation->text, " -H '%s'", field);
	add_body(explanation);
	text_add_string(explanation->text, " '");
	add_server(explanation->text, explanation->config);
	text_add_string(explanation->text, explanation->path);
	add_query(explanation, query);
	text_add_string(explanation->text, "'\n");
}

/* The summary of a method in the monitor's path item (malloc'ed), or else otherwise. */
static char *
summary_of(const struct style_monitor *monitor, const char *method, const char *otherwise)
{
	struct json_object *item = monitor->item ? openapi_parse(monitor->item) : NULL, *said, *summary;
	CLEANUP_FREE char *lower = xstrdup(method);
	char *words = NULL;

	for (char *c = lower; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	if (item && json_object_object_get_ex(item, lower, &said) &&
		json_object_object_get_ex(said, "summary", &summary))
		words = xstrdup(json_object_get_string(summary));
	json_object_put(item);
	return words ? words : xstrdup(otherwise);
}

static void
add_monitor_call(const struct explanation *explanation, const char *base, const struct style_monitor *monitor,
	const char *method, const char *words)
{
	size_t len = strcspn(monitor->path, "{");
	const char *end = strchr(monitor->path, '}');

	begin_curl(explanation, method);
	text_add_string(explanation->text, " '");
	add_server(explanation->text, explanation->config);
	text_addf(explanation->text, "%s%.*s", base, (int)len, monitor->path);
	if (end)
		text_addf(explanation->text, "ID%s", end + 1);
	if (monitor->query)
		text_addf(explanation->text, "?%s", monitor->query);
	text_addf(explanation->text, "'\n    %s\n", words);
}

static void
add_monitors(const struct explanation *explanation, const char *base, const struct style_monitor *monitors)
{
	static const unsigned methods[] = {HTTP_GET, HTTP_POST, HTTP_DELETE};

	for (const struct style_monitor *monitor = monitors; monitor->path; monitor++) {
		unsigned all = monitor->polls | monitor->cancels | monitor->handles;
		for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
			if (!(all & methods[i]))
				continue;
			const char *name = http_method_name(methods[i]);
			CLEANUP_FREE char *words = summary_of(
				monitor, name, methods[i] == HTTP_GET ? "How the operation is" : "Cancel");
			add_monitor_call(explanation, base, monitor, name, words);
		}
	}
}

static void
add_style(const struct explanation *explanation, const struct style *style, const char *query,
	const char *field)
{
	const char *status = style->openapi.accepted_status ? style->openapi.accepted_status : "202";
	const char *words = style->words.accepted;

	add_call(explanation, query, field);
	text_addf(explanation->text, "    %s%s%s\n", status, words ? ": " : "", words ? words : "");
	add_monitors(explanation, explanation->route->base_path, style->monitors);
	add_monitors(explanation, explanation->path, style->below);
}

static void
add_sync(const struct explanation *explanation, const char *query)
{
	add_call(explanation, query, NULL);
	text_add_string(explanation->text, "    the result itself, once it is there\n");
}

static void
add_asked(const struct explanation *explanation, const struct style *const *styles)
{
	for (; *styles; styles++) {
		const struct style_words *words = &(*styles)->words;
		if (!words->query && !words->field)
			continue;
		text_addf(explanation->text, "\nAsked for, style %s:\n", (*styles)->name);
		add_style(explanation, *styles, words->query, words->field);
	}
}

static void
add_route(const struct config *config, const struct style *const *styles, const struct config_route *route,
	struct text *text)
{
	struct explanation explanation = {
		.config = config,
		.route = route,
		.method = pick_method(route),
		.path = path_of(route),
		.text = text,
	};
	const struct style *style = is_safe(explanation.method) ? NULL : route->style;

	text_addf(text, "%s %s%s\n\nA plain call, %s%s:\n", explanation.method, route->base_path, route->path,
		style ? "style " : "synchronous", style ? style->name : "");
	if (style)
		add_style(&explanation, style, NULL, NULL);
	else
		add_sync(&explanation, NULL);
	if (style) {
		text_add_string(text, "\nAsked to be synchronous:\n");
		add_sync(&explanation, "async=false");
	}
	add_asked(&explanation, styles);
	free(explanation.path);
}

static bool
is_at(const struct config_route *route, const char *path)
{
	size_t len = strlen(route->base_path);

	return strcmp(route->path, path) == 0 ||
	       (strncmp(path, route->base_path, len) == 0 && strcmp(path + len, route->path) == 0);
}

int
explain_route(const struct config *config, const struct style *const *styles, const char *path,
	struct text *ret_text)
{
	size_t count = 0;

	for (size_t i = 0; i < config->route_count; i++) {
		if (!is_at(&config->routes[i], path))
			continue;
		if (count++ > 0)
			text_add_char(ret_text, '\n');
		add_route(config, styles, &config->routes[i], ret_text);
	}
	if (count > 0)
		return 0;
	for (size_t i = 0; i < config->route_count; i++)
		text_addf(ret_text, "%s%s\n", config->routes[i].base_path, config->routes[i].path);
	return -ENOENT;
}
