/*
 * Assembly of the server: one table of steps that is gone through upwards at the start and downwards at the
 * end.  The parts, lowest first: the loop, signals, the store, operations, routes, the fronts.
 */
#include "private.h"

#include "common/cleanup.h"
#include "common/log.h"
#include "common/loop/mailbox.h"
#include "common/loop/turn.h"
#include "common/text.h"
#include "http/auth.h"
#include "http/server.h"
#include "notify.h"
#include "operations/operations.h"
#include "routes.h"
#include "store/store.h"
#include "styles/style.h"
#include "watch/access_log.h"
#include "watch/admin.h"
#include "watch/metrics.h"
#include "work/program/program.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_warning("cannot raise the descriptor limit", "error=%s", strerrorname_np(errno));
}

/*
 * Results are allocated on many threads and freed on the loop thread.  With one malloc arena a thread, and with
 * large blocks between small ones, freed memory is fragmented and resident memory grows for hours.  So all
 * threads share two arenas, and a large block goes back to the kernel as soon as it is freed.
 */
static void
hold_little_memory(void)
{
	(void)mallopt(M_ARENA_MAX, 2);
	(void)mallopt(M_MMAP_THRESHOLD, 128 * 1024);
	(void)mallopt(M_TRIM_THRESHOLD, 1024 * 1024);
}

static struct event_base *
make_base(void)
{
	/* libevent then allocates with malloc and memset, which is cheaper than calloc for small blocks that
	 * live shortly. */
	event_set_mem_functions(malloc, realloc, free);
	struct event_config *config = event_config_new();

	/* No lock, because only this thread touches the loop.  The change list saves system calls; it must not
	 * be used with duplicated descriptors, and the loop has none. */
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
	struct event_base *base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

static void
on_store_health(void *arg, bool healthy, const char *why)
{
	(void)arg;
	if (healthy)
		log_info("operations can be stored again");
	else
		log_error("operations cannot be stored", "why=\"%s\"", why);
}

static int
open_store(struct server *server)
{
	struct store_config config = {
		.path = server->config->state,
		.mailbox = server->mailbox,
		.on_health = on_store_health,
		.arg = server,
	};
	CLEANUP_FREE char *why = NULL;
	int rc = store_open(&config, &server->store, &why);

	if (rc < 0)
		fprintf(stderr, "deferd: %s\n", why ? why : strerrorname_np(-rc));
	else if (!config.path)
		log_warning("state is in memory: all operations are lost when this process ends");
	return rc;
}

static void
on_op_accept(void *arg, const struct op *op)
{
	struct server *server = arg;

	metrics_count_accept(server->metrics, op);
}

static void
on_op_drop(void *arg, const struct op *op)
{
	struct server *server = arg;

	metrics_count_drop(server->metrics, op);
}

static void
on_op_end(void *arg, const struct op *op)
{
	struct server *server = arg;

	metrics_count_end(server->metrics, op);
	access_log_end(op);
}

static int
make_watch(struct server *server)
{
	struct metrics_sources metrics_sources = {
		.timers = server->timers, .operations = server->operations, .store = server->store};

	server->metrics = metrics_new(&metrics_sources);
	struct admin_sources admin_sources = {.operations = server->operations,
		.timers = server->timers,
		.store = server->store,
		.metrics = server->metrics};
	server->admin = admin_new(&admin_sources);
	return 0;
}

static unsigned
kill_leftovers(const struct op_leftover *leftovers, size_t count)
{
	struct id *ids = xcalloc(count, sizeof *ids);
	pid_t *pids = xcalloc(count, sizeof *pids);
	uint64_t *start_times = xcalloc(count, sizeof *start_times);
	size_t pid_count = 0;

	for (size_t i = 0; i < count; i++) {
		ids[i] = leftovers[i].id;
		if (leftovers[i].pid <= 0)
			continue;
		pids[pid_count] = leftovers[i].pid;
		start_times[pid_count++] = leftovers[i].start_time;
	}
	unsigned killed = program_kill_leftovers(ids, count, pids, start_times, pid_count);
	free(ids);
	free(pids);
	free(start_times);
	return killed;
}

static int
make_operations(struct server *server)
{
	const struct config *config = server->config;
	struct operations_config operations_config = {
		.timers = server->timers,
		.mailbox = server->mailbox,
		.store = server->store,
		.workers = config->workers,
		.capacity = config->capacity,
		.keep_tombstone_ms = config->keep_tombstone_ms,
		.stop_grace_ms = config->stop_grace_ms,
		.max_retained_bytes = config->max_retained_bytes,
		.kill_leftovers = kill_leftovers,
		.on_accept = on_op_accept,
		.on_end = on_op_end,
		.on_drop = on_op_drop,
		.arg = server,
	};

	return operations_new(&operations_config, &server->operations);
}

static int
make_styles(struct server *server)
{
	struct styles_config styles_config = {
		.table = style_table,
		.operations = server->operations,
		.store = server->store,
		.mailbox = server->mailbox,
		.timers = server->timers,
		.spool_fd = store_spool_fd(server->store),
		.wait_max_ms = server->config->wait_max_ms,
		.validation_wait_ms = server->config->validation_wait_ms,
	};

	return styles_new(&styles_config, &server->styles);
}

static int
make_routes(struct server *server)
{
	return routes_new(server->config, server->operations, server->styles, server->admin, &server->routes);
}

static struct op_route *
find_route(void *arg, const char *key)
{
	return routes_find(arg, key);
}

static int
recover(struct server *server)
{
	CLEANUP_FREE char *why = NULL;
	int rc = operations_recover(server->operations, find_route, style_find_name, server->routes, &why);

	if (rc < 0)
		fprintf(stderr, "deferd: %s\n", why ? why : strerrorname_np(-rc));
	if (rc == 0)
		rc = routes_prepare(server->routes, server->store);
	if (rc == 0)
		operations_judge_recovered(server->operations);
	return rc;
}

static int
start_loop(struct server *server)
{
	init_lifetime(server);
	server->base = make_base();
	if (!server->base)
		return -ENOMEM;
	if (!turn_probe(server->base))
		log_warning("the turns of the event loop are neither bounded nor measured",
			"libevent=%s method=%s", event_get_version(), event_base_get_method(server->base));
	int rc = timers_new(server->base, &server->timers);
	if (rc == 0)
		rc = mailbox_new(server->base, &server->mailbox);
	return rc;
}

static void
stop_loop(struct server *server)
{
	mailbox_free(server->mailbox);
	timers_free(server->timers);
	if (server->base)
		event_base_free(server->base);
}

/* Blocks the signals that we handled before their handlers go: by default each would end the process with
 * another exit status. */
static void
block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void
stop_signals(struct server *server)
{
	block_signals();
	for (size_t i = 0; i < sizeof server->signals / sizeof *server->signals; i++)
		if (server->signals[i])
			event_free(server->signals[i]);
}

static void
free_operations(struct server *server)
{
	metrics_free(server->metrics);
	operations_free(server->operations);
	admin_free(server->admin);
}

/* Also delivers what the store and the threads have posted by now. */
static void
close_store(struct server *server)
{
	store_close(server->store);
	if (server->mailbox)
		mailbox_drain(server->mailbox);
}

static void
free_styles(struct server *server)
{
	styles_free(server->styles);
}

static void
stop_housekeeping(struct server *server)
{
	timer_stop(&server->housekeeping);
	pool_free(server->housekeeping_pool);
	program_reap_orphans();
}

static void
halt_operations(struct server *server)
{
	if (server->operations)
		operations_halt(server->operations);
}

static void
free_routes(struct server *server)
{
	routes_free(server->routes);
}

static void
stop_fronts(struct server *server)
{
	auth_free(server->auth);
	http_server_free(server->http);
	http_server_free(server->admin_http);
	router_free(server->admin_router);
}

/*
 * The start from top to bottom, the end from bottom to top.  start may be NULL; it returns 0 or -errno, and the
 * log or standard error says why.  stop may be NULL; it is called even where start was not reached.  Operations
 * and styles are freed later than the row that makes them would do it: the store delivers its last completions
 * to them while it is closed.
 */
static const struct {
	int (*start)(struct server *server);
	void (*stop)(struct server *server);
} steps[] = {
	{start_loop, stop_loop},
	{handle_signals, stop_signals},
	{NULL, free_operations},
	{open_store, close_store},
	{NULL, free_styles},
	{start_housekeeping, stop_housekeeping},
	{make_operations, halt_operations},
	{make_watch, NULL},
	{make_styles, NULL},
	{make_routes, free_routes},
	{recover, NULL},
	{start_front, NULL},
	{start_admin_front, stop_fronts},
	{tell_manager, NULL},
};

#define STEPS (sizeof steps / sizeof *steps)

int
server_start(struct config *config, const char *file, struct server **ret_server)
{
	struct server *server = xcalloc(1, sizeof *server);
	int rc = 0;

	server->config = config;
	server->file = xstrdup(file);
	log_set_level((enum log_level)config->log_level);
	log_set_journal(notify_stderr_is_journal());
	hold_little_memory();
	program_start();
	raise_descriptor_limit();
	for (size_t i = 0; rc == 0 && i < STEPS; i++)
		if (steps[i].start)
			rc = steps[i].start(server);
	if (rc < 0) {
		server_free(server);
		return rc;
	}
	*ret_server = server;
	return 0;
}

int
server_run(struct server *server)
{
	int rc = event_base_dispatch(server->base);

	log_info("ended");
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

void
server_free(struct server *server)
{
	if (!server)
		return;
	for (size_t i = STEPS; i-- > 0;)
		if (steps[i].stop)
			steps[i].stop(server);
	config_free(server->config);
	free(server->file);
	free(server);
}
