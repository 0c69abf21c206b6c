/* Warnings: settings that are legal and unwise, or that name what is not there yet. */
#include "common/cleanup.h"
#include "common/json/json.h"
#include "config/address.h"
#include "config/machine.h"
#include "config/private.h"
#include "http/login/users.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* How long a call is assumed to run where its run time cannot be known: a second. */
#define LIKELY_RUN_MS 1000

/* The default of queue_timeout for synchronous calls. */
#define QUEUE_SYNC_MS 30000

/* What a worker needs at least: its thread, and a small program with the buffers of its pipes. */
#define WORKER_BYTES (UINT64_C(4) << 20)
#define WORKER_TASKS 2

/* Threads that the server has beside its workers, rounded up. */
#define OTHER_TASKS 32

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
	size_t mark = mistakes_enter(&settings->mistakes, "state");
	if (stat(directory, &status) < 0 || !S_ISDIR(status.st_mode))
		mistakes_warn(&settings->mistakes, "the directory \"%s\" does not exist", directory);
	else if (machine_is_on_network(directory))
		mistakes_warn(&settings->mistakes,
			"the directory \"%s\" is on a network file system, whose locks and syncs do not "
			"always "
			"hold: a crash may lose what was accepted",
			directory);
	mistakes_leave(&settings->mistakes, mark);
}

void
config_advise_workers(
	struct settings *settings, const struct config *config, const struct machine_limits *limits)
{
	unsigned long long workers = config->workers;
	unsigned long long bytes = workers * WORKER_BYTES, tasks = workers * WORKER_TASKS + OTHER_TASKS;
	size_t mark = mistakes_enter(&settings->mistakes, "workers");

	if (bytes > limits->memory_bytes)
		mistakes_warn(&settings->mistakes,
			"%llu small programs at once need %llu MiB, and there are %llu MiB of memory",
			workers, bytes >> 20, (unsigned long long)limits->memory_bytes >> 20);
	if (tasks > limits->tasks)
		mistakes_warn(&settings->mistakes,
			"%llu programs at once need %llu threads and processes, and %llu are allowed "
			"(TasksMax)",
			workers, tasks, (unsigned long long)limits->tasks);
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

/* The program of a route, or that of its collection's on_change; NULL: neither.  *ret_mark is for mistakes_leave. */
static const struct program_config *
enter_program(struct settings *settings, const struct config *config, size_t index, size_t *ret_mark)
{
	const struct config_route *route = &config->routes[index];
	const struct config_collection *collection = &route->collection;

	if (route->work == CONFIG_PROGRAM) {
		*ret_mark = config_enter_route(settings, index, "program");
		return &route->program;
	}
	if (route->work != CONFIG_COLLECTION || !collection->has_on_change ||
		collection->on_change != CONFIG_PROGRAM)
		return NULL;
	*ret_mark = config_enter_route(settings, index, "collection");
	mistakes_enter(&settings->mistakes, "on_change");
	mistakes_enter(&settings->mistakes, "program");
	return &collection->on_change_program;
}

static void
warn_of_program(struct settings *settings, const struct config *config, size_t index)
{
	size_t mark;
	const struct program_config *program = enter_program(settings, config, index, &mark);

	if (!program)
		return;
	mistakes_enter(&settings->mistakes, "argv");
	mistakes_enter_index(&settings->mistakes, 0);
	if (machine_is_open_to_all(program->argv[0]))
		mistakes_warn(&settings->mistakes,
			"everybody on this machine may change \"%s\" or put another file in its place",
			program->argv[0]);
	mistakes_leave(&settings->mistakes, mark);
}

static bool
has_method(const struct config_route *route, const char *name)
{
	for (char **method = route->methods; *method; method++)
		if (strcmp(*method, name) == 0)
			return true;
	return false;
}

/* An upstream that gets the same key twice can answer as before. */
static void
warn_of_rerun(struct settings *settings, const struct config *config, size_t index)
{
	const struct config_route *route = &config->routes[index];

	if (!route->rerun || route->work != CONFIG_UPSTREAM || !has_method(route, "POST") ||
		(route->idempotency_required && route->upstream.pass_idempotency_key))
		return;
	size_t mark = config_enter_route(settings, index, "rerun");
	mistakes_warn(&settings->mistakes,
		"a POST that a crash interrupted reaches the upstream twice: only \"idempotency\": "
		"\"required\" "
		"with \"pass_idempotency_key\": true lets the upstream know it again");
	mistakes_leave(&settings->mistakes, mark);
}

void
config_advise(struct settings *settings, struct json_object *root, const struct config *config)
{
	struct machine_limits limits;

	machine_get_limits("", &limits);
	warn_of_state(settings, config);
	config_advise_workers(settings, config, &limits);
	warn_of_users(settings, config);
	warn_of_clear_text(settings, root, config);
	for (size_t i = 0; i < config->route_count; i++) {
		warn_of_concurrency(settings, config, i);
		warn_of_queue(settings, config, i);
		warn_of_program(settings, config, i);
		warn_of_rerun(settings, config, i);
	}
}
