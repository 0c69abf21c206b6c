/* Reader of deferd.json: the server's table of settings, and the functions that read, free and describe all. */
#include "config/config.h"

#include "common/cleanup.h"
#include "common/json/json.h"
#include "common/log.h"
#include "common/network.h"
#include "config/files.h"
#include "config/private.h"
#include "config/values.h"
#include "http/login/users.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CONFIG(kind, member) SETTING_PLACE(kind, struct config, member)

/* "memory" is stored as "" until finish_config makes it NULL. */
static char *
convert_state(struct settings *settings, const char *state)
{
	return strcmp(state, "memory") == 0 ? xstrdup("") : config_convert_path(settings, state);
}

static char *
convert_network(struct settings *settings, const char *text)
{
	struct network network;

	if (strcmp(text, "unix") == 0 || network_parse(text, &network) == 0)
		return xstrdup(text);
	mistakes_add_string(&settings->mistakes, text,
		"is not a network (\"10.0.0.0/8\", \"2001:db8::/32\"), an address, or \"unix\"");
	return NULL;
}

static const struct setting_choice log_levels[] = {
	{"\"error\"", LOG_LEVEL_ERROR},
	{"\"warning\"", LOG_LEVEL_WARNING},
	{"\"info\"", LOG_LEVEL_INFO},
	{"\"debug\"", LOG_LEVEL_DEBUG},
	{NULL, 0},
};

static const struct setting auth_rows[] = {
	{.name = "basic",
		CONFIG(SETTING_STRING, auth_basic),
		.convert = config_convert_file,
		.type = "file",
		.fallback_note = "none",
		.meaning = "Users and their password hashes, in the format of htpasswd(1)."},
	{.name = "bearer",
		CONFIG(SETTING_STRING, auth_bearer),
		.convert = config_convert_file,
		.type = "file",
		.fallback_note = "none",
		.meaning = "Bearer tokens: one NAME:SHA256-HEX a line, the digest of the token."},
	{.name = "admins",
		CONFIG(SETTING_NAMES, auth_admins),
		.min = 1,
		.max = 1000,
		.convert = config_convert_plain,
		.fallback_note = "none",
		.meaning = "Principals that may read and cancel every operation."},
	{.name = NULL},
};

static const struct setting_table auth_table = {auth_rows, NULL};

static const struct setting admin_rows[] = {
	{.name = "listen",
		.kind = SETTING_OWN,
		.read = config_read_address,
		.free = config_free_address,
		.is_required = true,
		.type = "address or object",
		.members = &config_listen_table,
		.meaning = "The address that serves /healthz, /readyz, /metrics and /operations."},
	{.name = NULL},
};

static const struct setting_table admin_table = {admin_rows, NULL};

/* Fills a route with the defaults that it inherits from the server. */
static void
inherit(const struct config *config, struct config_route *ret_route)
{
	ret_route->queue_timeout_ms = config->queue_timeout_ms;
	ret_route->run_timeout_ms = config->run_timeout_ms;
	ret_route->keep_ms = config->keep_ms;
	ret_route->keep_timed_out_ms = config->keep_timed_out_ms;
	ret_route->max_body_bytes = config->max_body_bytes;
	ret_route->max_result_bytes = config->max_result_bytes;
	ret_route->queue = CONFIG_NO_LIMIT;
}

static void
read_routes(struct settings *settings, struct json_object *value, void *owner)
{
	struct config *config = owner;

	if (!json_object_is_type(value, json_type_array)) {
		mistakes_add_value(&settings->mistakes, value, "is not a list");
		return;
	}
	size_t count = json_object_array_length(value);
	if (count > CONFIG_ROUTES_MAX) {
		mistakes_add(&settings->mistakes, "%zu routes are more than %d", count, CONFIG_ROUTES_MAX);
		return;
	}
	config->routes = xcalloc(count, sizeof *config->routes);
	config->route_count = count;
	for (size_t i = 0; i < count; i++) {
		size_t mark = mistakes_enter_index(&settings->mistakes, i);
		inherit(config, &config->routes[i]);
		settings_read(settings, &config_route_table, json_object_array_get_idx(value, i),
			&config->routes[i]);
		mistakes_leave(&settings->mistakes, mark);
	}
}

static void
free_routes(void *owner)
{
	struct config *config = owner;

	for (size_t i = 0; i < config->route_count; i++)
		settings_free(&config_route_table, &config->routes[i]);
	free(config->routes);
	config->routes = NULL;
	config->route_count = 0;
}

static void
finish_config(struct settings *settings, struct json_object *value, void *owner)
{
	struct config *config = owner;

	config->has_auth = settings_has(&config_table, value, "auth");
	if (config->state && !*config->state) {
		free(config->state);
		config->state = NULL;
	}
}

/* Routes come last, because they inherit the settings above. */
static const struct setting rows[] = {
	{.name = "listen",
		.kind = SETTING_OWN,
		.read = config_read_listen,
		.free = config_free_listen,
		.type = "address, object, or a list of them",
		.members = &config_listen_table,
		.fallback = "\"127.0.0.1:8580\"",
		.meaning = "The addresses that accept calls."},
	{.name = "admin",
		CONFIG(SETTING_OBJECT, admin),
		.members = &admin_table,
		.fallback_note = "none",
		.meaning = "The admin listener: health, metrics and the list of operations."},
	{.name = "public_url",
		CONFIG(SETTING_STRING, public_url),
		.convert = config_convert_url,
		.type = "URL",
		.fallback_note = "scheme and Host of the request",
		.meaning = "The beginning of every URL in a response."},
	{.name = "hosts",
		CONFIG(SETTING_NAMES, site.hosts),
		.min = 1,
		.max = 1000,
		.convert = config_convert_host,
		.fallback_note = "none",
		.meaning =
			"Names of hosts that requests may be addressed to where no log-in is needed, beside "
			"loopback names and that of public_url; another Host is 421."},
	{.name = "cors",
		CONFIG(SETTING_OBJECT, site.cors),
		.members = &config_cors_table,
		.fallback_note = "pages of other origins may not call",
		.meaning = "The pages of other origins that may call."},
	{.name = "trusted_proxies",
		CONFIG(SETTING_NAMES, trusted_proxies),
		.min = 1,
		.max = 1000,
		.convert = convert_network,
		.type = "list of networks, or \"unix\"",
		.fallback_note = "none",
		.meaning = "The proxies whose Forwarded and X-Forwarded fields are passed to upstreams, as "
			   "addresses or networks (\"10.0.0.0/8\"), \"unix\" for unix sockets; those of "
			   "other clients are replaced."},
	{.name = "state",
		CONFIG(SETTING_STRING, state),
		.convert = convert_state,
		.type = "file, or \"memory\"",
		.fallback = "\"/var/lib/deferd/deferd.db\"",
		.meaning =
			"The database file; with \"memory\" every operation is lost when the server ends."},
	{.name = "workers",
		CONFIG(SETTING_WHOLE, workers),
		.fallback = "16",
		.min = 1,
		.max = 10000,
		.meaning = "The number of programs that run at the same time; calls to upstreams need no "
			   "worker."},
	{.name = "upstream_concurrency",
		CONFIG(SETTING_WHOLE, upstream_concurrency),
		.fallback = "1024",
		.min = 1,
		.max = 100000,
		.meaning = "The number of calls to upstreams that are made at the same time."},
	{.name = "capacity",
		CONFIG(SETTING_WHOLE, capacity),
		.fallback = "1000",
		.min = 1,
		.max = 10000000,
		.meaning =
			"The number of calls that may wait or run at the same time; further calls get 503."},
	{.name = "queue_timeout",
		CONFIG(SETTING_TIME, queue_timeout_ms),
		.fallback_note = "30s for synchronous calls, 1h for asynchronous ones",
		.min = 1,
		.max = 30 * CONFIG_DAY_MS,
		.meaning = "The longest time that a call may wait in the queue; a value holds for both "
			   "kinds of calls."},
	{.name = "run_timeout",
		CONFIG(SETTING_TIME, run_timeout_ms),
		.fallback = "\"1h\"",
		.min = 1,
		.max = 30 * CONFIG_DAY_MS,
		.meaning = "The longest time that a call may run."},
	{.name = "keep",
		CONFIG(SETTING_TIME, keep_ms),
		.fallback_note = "1h, 5m on routes of style status",
		.min = 1,
		.max = 365 * CONFIG_DAY_MS,
		.meaning = "How long the result of a call can be read."},
	{.name = "keep_timed_out",
		CONFIG(SETTING_TIME, keep_timed_out_ms),
		.fallback = "\"1h\"",
		.min = 1,
		.max = 365 * CONFIG_DAY_MS,
		.meaning = "How long it can be read if the call timed out."},
	{.name = "keep_tombstone",
		CONFIG(SETTING_TIME, keep_tombstone_ms),
		.fallback = "\"24h\"",
		.min = 0,
		.max = 365 * CONFIG_DAY_MS,
		.meaning = "How long the server remembers an expired operation and its Idempotency-Key."},
	{.name = "wait_max",
		CONFIG(SETTING_TIME, wait_max_ms),
		.fallback = "\"50s\"",
		.min = 0,
		.max = CONFIG_DAY_MS,
		.meaning = "The longest wait that a client may request with Prefer."},
	{.name = "validation_wait",
		CONFIG(SETTING_TIME, validation_wait_ms),
		.fallback = "\"5s\"",
		.min = 0,
		.max = CONFIG_HOUR_MS,
		.meaning = "How long a 202 waits until the body is validated; a mistake found later becomes "
			   "the final response."},
	{.name = "stop_grace",
		CONFIG(SETTING_TIME, stop_grace_ms),
		.fallback = "\"5s\"",
		.min = 0,
		.max = CONFIG_HOUR_MS,
		.meaning = "The time between SIGTERM and SIGKILL when work is stopped."},
	{.name = "drain_timeout",
		CONFIG(SETTING_TIME, drain_timeout_ms),
		.fallback = "\"30s\"",
		.min = 0,
		.max = CONFIG_DAY_MS,
		.meaning = "How long running work may continue after the server gets SIGTERM."},
	{.name = "header_timeout",
		CONFIG(SETTING_TIME, header_timeout_ms),
		.fallback = "\"30s\"",
		.min = 10,
		.max = CONFIG_HOUR_MS,
		.meaning = "How long a client may take to send the header of a request."},
	{.name = "idle_timeout",
		CONFIG(SETTING_TIME, idle_timeout_ms),
		.fallback = "\"75s\"",
		.min = 10,
		.max = CONFIG_DAY_MS,
		.meaning = "How long a connection may stay open without a request."},
	{.name = "max_header",
		CONFIG(SETTING_SIZE, max_header_bytes),
		.fallback = "\"32KiB\"",
		.min = 1024,
		.max = CONFIG_HEADER_MAX_BYTES,
		.meaning =
			"The largest header of a request: all its fields together; beyond it the request is "
			"refused with 431."},
	{.name = "max_header_fields",
		CONFIG(SETTING_WHOLE, max_header_fields),
		.fallback = "200",
		.min = 10,
		.max = 1000,
		.meaning = "The most header fields of a request; beyond it the request is refused with 431."},
	{.name = "max_body",
		CONFIG(SETTING_SIZE, max_body_bytes),
		.fallback = "\"8MiB\"",
		.min = 0,
		.max = CONFIG_BODY_MAX_BYTES,
		.meaning = "The largest request body."},
	{.name = "max_result",
		CONFIG(SETTING_SIZE, max_result_bytes),
		.fallback = "\"64MiB\"",
		.min = 1,
		.max = CONFIG_RESULT_MAX_BYTES,
		.meaning = "The largest body of a final response."},
	{.name = "max_retained",
		CONFIG(SETTING_SIZE, max_retained_bytes),
		.fallback = "\"1GiB\"",
		.min = 1024,
		.max = CONFIG_RETAINED_MAX_BYTES,
		.meaning =
			"The most bytes of bodies and results that are held, in memory and in files, bodies "
			"that are still coming in included; beyond it new calls get 503."},
	{.name = "max_connections_per_address",
		CONFIG(SETTING_WHOLE, max_connections_per_address),
		.fallback = "4096",
		.min = 1,
		.max = 1000000,
		.meaning = "The most connections that one client address may have open, a proxy included; "
			   "connections over unix sockets are not counted."},
	{.name = "log_level",
		CONFIG(SETTING_CHOICE, log_level),
		.fallback = "\"info\"",
		.choices = log_levels,
		.meaning = "The least severe level that is logged; info logs every call and every end of an "
			   "operation, debug also every poll."},
	{.name = "auth",
		.kind = SETTING_OBJECT,
		.members = &auth_table,
		.fallback_note = "none",
		.meaning = "If it is set, every caller must log in; client certificates (client_ca) count as "
			   "a log-in. If not, only loopback and unix addresses are allowed in listen."},
	{.name = "routes",
		.kind = SETTING_OWN,
		.read = read_routes,
		.free = free_routes,
		.is_required = true,
		.is_list = true,
		.type = "list of objects",
		.members = &config_route_table,
		.meaning = "The routes that can be called."},
	{.name = NULL},
};

const struct setting_table config_table = {rows, finish_config};

void
config_begin(struct settings *settings, const char *file, const struct style *const *styles)
{
	*settings = (struct settings){
		.mistakes.file = file, .directory = config_directory_of(file), .context = styles};
}

void
config_end(struct settings *settings)
{
	mistakes_fini(&settings->mistakes);
	free(settings->directory);
}

struct config *
config_load(struct settings *settings, const char *data, size_t len, struct json_object **ret_root)
{
	struct json_mistake mistake;
	struct json_object *root;

	if (json_parse_with_comments(data, len, &root, &mistake) < 0) {
		mistakes_add_json(&settings->mistakes, settings->mistakes.file, &mistake);
		return NULL;
	}
	struct config *config = xcalloc(1, sizeof *config);
	settings_read(settings, &config_table, root, config);
	config_check(settings, root, config);
	config_check_paths(settings, config);
	*ret_root = root;
	return config;
}

/* Reads, checks and loads the file.  Returns NULL after a mistake that leaves nothing to check. */
static struct config *
read_file(struct settings *settings, const char *file)
{
	struct json_object *root = NULL;
	struct config *config = NULL;
	struct text text = {0};
	int error = config_read_file(file, &text);

	if (!error && !settings->directory)
		error = -ENOENT;
	if (error) {
		mistakes_add(&settings->mistakes, "cannot be read: %s", strerror(-error));
	} else {
		config = config_load(settings, text.data, text.len, &root);
		if (config)
			config_read_secrets(settings, root, config);
		if (config && settings->mistakes.count == 0)
			config_advise(settings, root, config);
	}
	json_object_put(root);
	text_fini(&text);
	return config;
}

int
config_read(const char *file, const struct style *const *styles, struct config **ret_config,
	struct text *ret_mistakes)
{
	struct settings settings;
	int error = 0;

	config_begin(&settings, file, styles);
	struct config *config = read_file(&settings, file);
	if (settings.mistakes.count > 0) {
		text_add(ret_mistakes, settings.mistakes.lines.data, settings.mistakes.lines.len);
		config_free(config);
		error = -EINVAL;
	} else {
		*ret_config = config;
	}
	config_end(&settings);
	return error;
}

void
config_read_warnings(const char *file, const struct style *const *styles, struct text *ret_warnings)
{
	struct settings settings;

	config_begin(&settings, file, styles);
	config_free(read_file(&settings, file));
	text_add(ret_warnings, settings.mistakes.warnings.data, settings.mistakes.warnings.len);
	config_end(&settings);
}

void
config_free(struct config *config)
{
	if (!config)
		return;
	settings_free(&config_table, config);
	users_unref(config->users);
	free(config);
}

void
config_describe(const struct style *const *styles, struct text *ret_text)
{
	settings_describe(&config_table, "", styles, ret_text);
}
