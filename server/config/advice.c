/* Warnings: settings that are legal and unwise, or that name what is not there yet. */
#include "common/cleanup.h"
#include "common/json/json.h"
#include "config/address.h"
#include "config/private.h"
#include "http/login/users.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* How long a call is assumed to run where its run time cannot be known: a second. */
#define LIKELY_RUN_MS 1000

/* The default of queue_timeout for synchronous calls. */
#define QUEUE_SYNC_MS 30000

/* The service manager may make the directory only when it starts the server. */
static void
warn_of_state(struct settings *settings, const struct config *config)
{
	CLEANUP_FREE char *directory = config->state ? xstrdup(config->state) : NULL;
	char *slash = directory ? strrchr(directory, '/') : NULL;
	struct stat status;

	if (!slash || slash == directory)
		return;
	*slash = '\0';
	if (stat(directory, &status) == 0 && S_ISDIR(status.st_mode))
		return;
	size_t mark = mistakes_enter(&settings->mistakes, "state");
	mistakes_warn(&settings->mistakes, "the directory \"%s\" does not exist", directory);
	mistakes_leave(&settings->mistakes, mark);
}

static bool
has_client_certificates(const struct config *config)
{
	for (size_t i = 0; i < config->listen_count; i++)
		if (config->listen[i].tls_client_ca)
			return true;
	return config->admin.tls_client_ca;
}

static void
warn_of_names(struct settings *settings, const struct config *config, char *const *names)
{
	for (size_t i = 0; names && names[i]; i++) {
		if (users_has(config->users, names[i]))
			continue;
		size_t mark = mistakes_enter_index(&settings->mistakes, i);
		mistakes_warn(
			&settings->mistakes, "\"%s\" is neither in \"basic\" nor in \"bearer\"", names[i]);
		mistakes_leave(&settings->mistakes, mark);
	}
}

/* Certificates name their principals themselves. */
static void
warn_of_users(struct settings *settings, const struct config *config)
{
	if (!config->users || has_client_certificates(config))
		return;
	size_t mark = mistakes_enter(&settings->mistakes, "auth");
	mistakes_enter(&settings->mistakes, "admins");
	warn_of_names(settings, config, config->auth_admins);
	mistakes_leave(&settings->mistakes, mark);
	for (size_t i = 0; i < config->route_count; i++) {
		mark = config_enter_route(settings, i, "users");
		warn_of_names(settings, config, config->routes[i].users);
		mistakes_leave(&settings->mistakes, mark);
	}
}

static void
warn_of_clear_text(struct settings *settings, struct json_object *root, const struct config *config)
{
	struct json_object *value;

	for (size_t i = 0; config->has_auth && i <= config->listen_count; i++) {
		const struct config_listen *listen =
			i < config->listen_count ? &config->listen[i] : &config->admin;
		if (!listen->address || listen->tls_certificate || config_address_is_local(listen->address))
			continue;
		size_t mark = config_enter_listen(settings, root, config, i, &value);
		mistakes_warn(&settings->mistakes,
			"\"%s\" has no \"tls\": passwords and tokens cross the network in clear text unless "
			"a "
			"proxy on this path encrypts them",
			listen->address);
		mistakes_leave(&settings->mistakes, mark);
	}
}

static void
warn_of_concurrency(struct settings *settings, const struct config *config, size_t index)
{
	const struct config_route *route = &config->routes[index];

	if (route->work == CONFIG_UPSTREAM || route->concurrency <= config->workers)
		return;
	size_t mark = config_enter_route(settings, index, "concurrency");
	mistakes_warn(&settings->mistakes, "%u is more than the %u \"workers\" of the server",
		route->concurrency, config->workers);
	mistakes_leave(&settings->mistakes, mark);
}

/* A queue that is full, with calls of a second, must be served before its last call times out. */
static void
warn_of_queue(struct settings *settings, const struct config *config, size_t index)
{
	const struct config_route *route = &config->routes[index];
	uint64_t timeout_ms = route->queue_timeout_ms ? (uint64_t)route->queue_timeout_ms : QUEUE_SYNC_MS;
	unsigned at_once = route->concurrency ? route->concurrency : config->workers;
	uint64_t served = timeout_ms / LIKELY_RUN_MS * at_once;

	if (route->queue == CONFIG_NO_LIMIT || route->queue <= served)
		return;
	size_t mark = config_enter_route(settings, index, "queue");
	mistakes_warn(&settings->mistakes,
		"%u calls of a second, %u at a time, do not fit into \"queue_timeout\": the last ones would "
		"be "
		"dropped",
		route->queue, at_once);
	mistakes_leave(&settings->mistakes, mark);
}

void
config_advise(struct settings *settings, struct json_object *root, const struct config *config)
{
	warn_of_state(settings, config);
	warn_of_users(settings, config);
	warn_of_clear_text(settings, root, config);
	for (size_t i = 0; i < config->route_count; i++) {
		warn_of_concurrency(settings, config, i);
		warn_of_queue(settings, config, i);
	}
}
