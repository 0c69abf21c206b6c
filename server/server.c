/*
 * The server: see server.h.  It owns the loop and everything on it, and takes them down in the order in which they lean on one another:
 * the front, the operations, the store, the mailbox, the loop.
 */
#include "server.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/mailbox.h"
#include "common/pool.h"
#include "common/text.h"
#include "common/timer.h"
#include "config.h"
#include "config_values.h"
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
#include "work/program.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* Limits on what comes before a body; those on bodies are settings. */
static const struct guard_limits header_limits = {
	.max_target_bytes = 8000,
	.max_line_bytes = 8190,
	.max_header_bytes = 16 * 1024,
	.max_header_count = 100,
	.max_chunk_ext_bytes = 256,
};

/* How long replies may take to go out once everything else has ended. */
#define LAST_REPLIES_MS 2000

/* How often processes that programs have left behind are looked for. */
#define HOUSEKEEPING_MS 1000

struct server {
	char *file;
	struct config *config;
	struct event_base *base;
	struct timers *timers;
	struct mailbox *mailbox;
	struct store *store;
	struct operations *operations;
	struct styles *styles;
	struct routes *routes;
	struct auth *auth;
	struct http_server *http;
	struct metrics *metrics;
	struct admin *admin;
	struct http_server *admin_http; /* NULL: there is no admin listener */
	struct router *admin_router;
	struct event *signals[4];

	struct pool *housekeeping_pool;
	struct pool_job housekeeping_job;
	struct timer housekeeping;

	int64_t watchdog_ms; /* how often the service manager wants a sign of life; 0: never */
	struct timer watchdog;

	bool draining;
	struct timer drain_timeout;
	struct timer last_replies;
	int64_t last_replies_until_ms;
};

static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_warning("descriptor limit not raised", "error=%s", strerrorname_np(errno));
}

static struct event_base *
make_base(void)
{
	struct event_config *config = event_config_new();

	/* No lock: no thread but this one may touch the loop.  The change list saves system calls; it wants no duplicated
	 * descriptors in the loop, and there are none. */
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
		log_info("operations are stored again");
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
		log_warning("state is memory: nothing accepted survives the end of this process");
	return rc;
}

static void
on_op_end(void *arg, const struct op *op)
{
	struct server *server = arg;

	metrics_count_end(server->metrics, op);
	access_log_end(op);
}

static void
on_reply(void *arg, const struct http_request *request, int status, uint64_t body_bytes)
{
	struct server *server = arg;

	metrics_count_reply(server->metrics, status, body_bytes);
	access_log_reply(request, status, body_bytes);
}

static void
make_watch(struct server *server)
{
	struct metrics_sources metrics_sources = {
		.timers = server->timers, .operations = server->operations, .store = server->store};

	server->metrics = metrics_new(&metrics_sources);
	struct admin_sources admin_sources = {
		.operations = server->operations, .store = server->store, .metrics = server->metrics};
	server->admin = admin_new(&admin_sources);
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
		.on_end = on_op_end,
		.arg = server,
	};
	int rc = operations_new(&operations_config, &server->operations);

	if (rc < 0)
		return rc;
	make_watch(server);
	struct styles_config styles_config = {
		.operations = server->operations,
		.store = server->store,
		.mailbox = server->mailbox,
		.timers = server->timers,
		.spool_fd = store_spool_fd(server->store),
		.wait_max_ms = config->wait_max_ms,
	};
	rc = styles_new(&styles_config, &server->styles);
	return rc < 0 ? rc
		      : routes_new(
				config, server->operations, server->styles, server->admin, &server->routes);
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
	return rc < 0 ? rc : routes_prepare(server->routes, server->store);
}

/* The largest body that any route takes: what the guard lets through. */
static uint64_t
largest_body(const struct config *config)
{
	uint64_t largest = config->max_body_bytes;

	for (size_t i = 0; i < config->route_count; i++)
		if (config->routes[i].max_body_bytes > largest)
			largest = config->routes[i].max_body_bytes;
	return largest;
}

static int
listen_on(struct http_server *http, const struct config_listen *listen, const char *what)
{
	CLEANUP_FREE char *actual = NULL;
	int rc = http_server_listen(http, listen->address, listen->tls, &actual);

	if (rc < 0) {
		fprintf(stderr, "deferd: cannot listen on %s: %s\n", listen->address, strerrordesc_np(-rc));
		return rc;
	}
	printf("deferd: %s %s\n", what, actual);
	fflush(stdout);
	return 0;
}

/* What is configured for an address; *ret_secure: whether any address speaks TLS. */
static const struct config_listen *
find_listen(const struct config *config, const char *address, bool *ret_secure)
{
	const struct config_listen *found = NULL;

	*ret_secure = false;
	for (size_t i = 0; i < config->listen_count; i++) {
		*ret_secure = *ret_secure || config->listen[i].tls;
		if (strcmp(config->listen[i].address, address) == 0)
			found = &config->listen[i];
	}
	return found;
}

/* Why a socket with that address is not served, NULL if it is: nothing may become open, or plain, by being handed over. */
static const char *
refuse_handed_over(
	const struct config *config, const char *address, const struct config_listen *listen, bool secure)
{
	if (!config->has_auth && !config_address_is_local(address))
		return "without \"auth\" only loopback and unix addresses are served";
	if (secure && !listen)
		return "\"listen\" does not have it, and so not whether it speaks TLS";
	return NULL;
}

/* On a socket that the service manager has handed over. */
static int
listen_on_fd(struct server *server, int fd)
{
	CLEANUP_FREE char *address = http_server_fd_address(fd), *actual = NULL;
	bool secure;
	const struct config_listen *listen = find_listen(server->config, address, &secure);
	const char *why = refuse_handed_over(server->config, address, listen, secure);
	int rc =
		why ? -EACCES : http_server_listen_fd(server->http, fd, listen ? listen->tls : NULL, &actual);

	if (rc < 0) {
		fprintf(stderr, "deferd: cannot serve on descriptor %d (%s): %s\n", fd, address,
			why ? why : strerrordesc_np(-rc));
		return rc;
	}
	printf("deferd: ready on %s\n", actual);
	fflush(stdout);
	return 0;
}

/* Connections that may be open at once: work and the store need descriptors, too. */
static unsigned
most_connections(const struct config *config)
{
	const rlim_t reserve = 128 + 8 * (rlim_t)config->workers;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > UINT_MAX)
		return 0;
	rlim_t most = limit.rlim_cur > 2 * reserve ? limit.rlim_cur - reserve : limit.rlim_cur / 2;
	return (unsigned)most;
}

static int
start_front(struct server *server)
{
	struct http_config config = {
		.limits = header_limits,
		.header_timeout_ms = server->config->header_timeout_ms,
		.idle_timeout_ms = server->config->idle_timeout_ms,
		.max_connections = most_connections(server->config),
		.max_connections_per_address = server->config->max_connections_per_address,
		.public_url = server->config->public_url,
		.on_reply = on_reply,
		.arg = server,
	};

	config.limits.max_body_bytes = largest_body(server->config);
	int rc = auth_new(server->timers, server->mailbox, &server->auth);
	if (rc < 0)
		return rc;
	auth_set_users(server->auth, server->config->users);
	config.auth = server->auth;
	rc = http_server_new(server->base, server->timers, &config, &server->http);
	if (rc < 0)
		return rc;
	metrics_set_http(server->metrics, server->http);
	http_server_set_router(server->http, routes_router(server->routes));
	int handed_over = notify_listen_fds();
	for (int i = 0; rc == 0 && i < handed_over; i++)
		rc = listen_on_fd(server, NOTIFY_FIRST_FD + i);
	for (size_t i = 0; rc == 0 && handed_over == 0 && i < server->config->listen_count; i++)
		rc = listen_on(server->http, &server->config->listen[i], "ready on");
	return rc;
}

/* The operators' own front: health, metrics, and everybody's operations.  Who reaches it on this machine is an admin; others must log in. */
static int
start_admin_front(struct server *server)
{
	struct http_config config = {
		.limits = header_limits,
		.header_timeout_ms = server->config->header_timeout_ms,
		.idle_timeout_ms = server->config->idle_timeout_ms,
	};

	if (!server->config->admin.address)
		return 0;
	config.all_admins = config_address_is_local(server->config->admin.address);
	config.auth = config.all_admins ? NULL : server->auth;
	server->admin_router = router_new();
	int rc = admin_enter(server->admin, server->admin_router);
	if (rc == 0)
		rc = http_server_new(server->base, server->timers, &config, &server->admin_http);
	if (rc < 0)
		return rc;
	http_server_set_router(server->admin_http, server->admin_router);
	return listen_on(server->admin_http, &server->config->admin, "admin on");
}

static void
on_watchdog(struct timer *timer)
{
	struct server *server = container_of(timer, struct server, watchdog);
	struct operations_stats stats;

	operations_get_stats(server->operations, &stats);
	notify_send("WATCHDOG=1\nSTATUS=%s: %u queued, %u running", server->draining ? "Draining" : "Serving",
		stats.queued, stats.running);
	timer_start(server->timers, timer, server->watchdog_ms);
}

static int
tell_manager(struct server *server)
{
	notify_send("READY=1\nSTATUS=Serving");
	server->watchdog_ms = notify_watchdog_ms();
	if (server->watchdog_ms > 0)
		timer_start(server->timers, &server->watchdog, server->watchdog_ms);
	return 0;
}

/* Replies are still on their way out: wait for them, but not for ever. */
static void
on_last_replies(struct timer *timer)
{
	struct server *server = container_of(timer, struct server, last_replies);

	if (http_server_connections(server->http) == 0 || clock_mono_ms() >= server->last_replies_until_ms)
		event_base_loopbreak(server->base);
	else
		timer_start(server->timers, timer, 10);
}

static void
on_drained(void *arg)
{
	struct server *server = arg;

	log_info("drained", "connections=%u", http_server_connections(server->http));
	server->last_replies_until_ms = clock_mono_ms() + LAST_REPLIES_MS;
	timer_start(server->timers, &server->last_replies, 0);
}

static void
on_drain_timeout(struct timer *timer)
{
	struct server *server = container_of(timer, struct server, drain_timeout);

	log_warning("stopping what still runs");
	operations_stop_running(server->operations, WORK_STOP);
}

static void
drain(struct server *server)
{
	server->draining = true;
	admin_set_draining(server->admin);
	notify_send("STOPPING=1\nSTATUS=Draining");
	log_info("draining", "timeout_ms=%lld", (long long)server->config->drain_timeout_ms);
	http_server_drain(server->http);
	timer_start(server->timers, &server->drain_timeout, server->config->drain_timeout_ms);
	operations_drain(server->operations, on_drained, server);
}

static void
on_terminate(evutil_socket_t number, short what, void *arg)
{
	struct server *server = arg;

	(void)number;
	(void)what;
	if (!server->draining) {
		drain(server);
	} else {
		log_warning("stopping at once");
		operations_stop_running(server->operations, WORK_KILL);
	}
}

/* That callers must log in can begin with a reload, but not end: an address may be open to the world by now. */
static void
reload_users(struct server *server, struct users *users)
{
	if (users || !auth_has_users(server->auth))
		auth_set_users(server->auth, users);
	else
		log_warning("users stay as they were: without \"auth\" only after a new start");
}

/* The certificates of addresses that are listened on. */
static void
reload_tls(struct http_server *http, const struct config_listen *listen, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (listen[i].tls && http_server_set_tls(http, listen[i].address, listen[i].tls) < 0)
			log_warning("TLS begins only after a new start", "address=%s", listen[i].address);
}

/* Reads the configuration again.  Routes are taken over whole or not at all; what needs a new start is left as it was.  Whether they were. */
static bool
reload(struct server *server)
{
	CLEANUP(text_fini) struct text mistakes = {0};
	struct config *config;
	struct routes *routes;

	if (config_read(server->file, &config, &mistakes) < 0) {
		log_error("configuration not reloaded", "mistakes=\"%s\"", mistakes.data);
		return false;
	}
	if (routes_new(config, server->operations, server->styles, server->admin, &routes) < 0) {
		config_free(config);
		return false;
	}
	int rc = routes_prepare(routes, server->store);
	if (rc < 0) {
		log_error("configuration not reloaded", "error=%s", strerrorname_np(-rc));
		routes_free(routes);
		config_free(config);
		return false;
	}
	reload_users(server, config->users);
	reload_tls(server->http, config->listen, config->listen_count);
	if (server->admin_http)
		reload_tls(server->admin_http, &config->admin, 1);
	log_set_level((enum log_level)config->log_level);
	http_server_set_router(server->http, routes_router(routes));
	routes_free(server->routes);
	server->routes = routes;
	config_free(config);
	log_info("configuration reloaded", "file=%s", server->file);
	return true;
}

static void
on_reload(evutil_socket_t number, short what, void *arg)
{
	struct server *server = arg;

	(void)number;
	(void)what;
	if (server->draining)
		return;
	notify_send("RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_mono_us());
	notify_send("READY=1\nSTATUS=%s",
		reload(server) ? "Serving" : "Serving; the configuration was not reloaded");
}

static void
do_housekeeping(struct pool_job *job)
{
	(void)job;
	program_reap_orphans();
}

static void
on_housekeeping_done(struct pool_job *job)
{
	struct server *server = container_of(job, struct server, housekeeping_job);

	timer_start(server->timers, &server->housekeeping, HOUSEKEEPING_MS);
}

static void
on_housekeeping(struct timer *timer)
{
	struct server *server = container_of(timer, struct server, housekeeping);

	pool_submit(server->housekeeping_pool, &server->housekeeping_job);
}

static int
start_housekeeping(struct server *server)
{
	server->housekeeping_job.run = do_housekeeping;
	server->housekeeping_job.done = on_housekeeping_done;
	timer_init(&server->housekeeping, on_housekeeping);
	timer_start(server->timers, &server->housekeeping, HOUSEKEEPING_MS);
	return pool_new("house", server->mailbox, 1, &server->housekeeping_pool);
}

static int
handle_signals(struct server *server)
{
	static const struct {
		int number;
		event_callback_fn fn;
	} handlers[] = {{SIGTERM, on_terminate}, {SIGINT, on_terminate}, {SIGHUP, on_reload}};

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of its write */
	for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++) {
		server->signals[i] = evsignal_new(server->base, handlers[i].number, handlers[i].fn, server);
		if (!server->signals[i] || event_add(server->signals[i], NULL) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int
start_loop(struct server *server)
{
	server->base = make_base();
	if (!server->base)
		return -ENOMEM;
	int rc = timers_new(server->base, &server->timers);
	if (rc == 0)
		rc = mailbox_new(server->base, &server->mailbox);
	timer_init(&server->drain_timeout, on_drain_timeout);
	timer_init(&server->last_replies, on_last_replies);
	timer_init(&server->watchdog, on_watchdog);
	return rc;
}

int
server_start(struct config *config, const char *file, struct server **ret_server)
{
	static int (*const steps[])(struct server * server) = {start_loop, handle_signals, start_housekeeping,
		open_store, make_operations, recover, start_front, start_admin_front, tell_manager};
	struct server *server = xcalloc(1, sizeof *server);
	int rc = 0;

	server->config = config;
	server->file = xstrdup(file);
	log_set_level((enum log_level)config->log_level);
	log_set_journal(notify_stderr_is_journal());
	raise_descriptor_limit();
	program_start();
	for (size_t i = 0; rc == 0 && i < sizeof steps / sizeof *steps; i++)
		rc = steps[i](server);
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

/* From here on the signals that we handled are kept pending: by default they would end the process with another status. */
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

void
server_free(struct server *server)
{
	if (!server)
		return;
	auth_free(server->auth);
	http_server_free(server->http);
	http_server_free(server->admin_http);
	router_free(server->admin_router);
	routes_free(server->routes);
	timer_stop(&server->housekeeping);
	pool_free(server->housekeeping_pool);
	if (server->operations)
		operations_halt(server->operations);
	program_reap_orphans();
	styles_free(server->styles);
	store_close(server->store);
	if (server->mailbox)
		mailbox_drain(server->mailbox);
	metrics_free(server->metrics);
	operations_free(server->operations);
	admin_free(server->admin);
	block_signals();
	for (size_t i = 0; i < sizeof server->signals / sizeof *server->signals; i++)
		if (server->signals[i])
			event_free(server->signals[i]);
	mailbox_free(server->mailbox);
	timers_free(server->timers);
	if (server->base)
		event_base_free(server->base);
	config_free(server->config);
	free(server->file);
	free(server);
}
