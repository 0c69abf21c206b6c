/*
 * The life of the server between start and end: watchdog messages for the service manager, reaping of orphaned
 * processes, reload on SIGHUP, and the drain on SIGTERM.
 */
#include "private.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/text.h"
#include "http/server.h"
#include "notify.h"
#include "operations/operations.h"
#include "routes.h"
#include "styles/style_table.h"
#include "watch/admin.h"
#include "work/program/program.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <string.h>

/* How long replies may take to go out once everything else has ended. */
#define LAST_REPLIES_MS 2000

/* How often to search for processes that programs left behind. */
#define HOUSEKEEPING_MS 1000

/* The lowest urgency: nothing waits for housekeeping. */
#define HOUSEKEEPING_NICE 10

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

int
start_housekeeping(struct server *server)
{
	server->housekeeping_job.run = do_housekeeping;
	server->housekeeping_job.done = on_housekeeping_done;
	timer_start(server->timers, &server->housekeeping, HOUSEKEEPING_MS);
	int rc = pool_new("house", server->mailbox, 1, &server->housekeeping_pool);
	if (rc == 0)
		pool_set_nice(server->housekeeping_pool, HOUSEKEEPING_NICE);
	return rc;
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

int
tell_manager(struct server *server)
{
	notify_send("READY=1\nSTATUS=Serving");
	server->watchdog_ms = notify_watchdog_ms();
	if (server->watchdog_ms > 0)
		timer_start(server->timers, &server->watchdog, server->watchdog_ms);
	return 0;
}

/* Ends the loop once the last replies are sent, or LAST_REPLIES_MS after the drain. */
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

	log_warning("drain timeout: stopping running work");
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
	operations_drain(server->operations, server->config->drain_timeout_ms, on_drained, server);
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

/* Reads the configuration again.  Takes over all routes or, after any mistake, none; settings that need a
 * restart stay as they are.  Returns whether the routes were taken over. */
static bool
reload(struct server *server)
{
	CLEANUP(text_fini) struct text mistakes = {0};
	struct config *config;
	struct routes *routes;

	if (config_read(server->file, style_table, &config, &mistakes) < 0) {
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
	reload_fronts(server, config);
	log_set_level((enum log_level)config->log_level);
	http_server_set_site(server->http, &config->site);
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

int
handle_signals(struct server *server)
{
	static const struct {
		int number;
		event_callback_fn fn;
	} handlers[] = {{SIGTERM, on_terminate}, {SIGINT, on_terminate}, {SIGHUP, on_reload}};

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* the write then fails with EFBIG */
	for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++) {
		server->signals[i] = evsignal_new(server->base, handlers[i].number, handlers[i].fn, server);
		if (!server->signals[i] || event_add(server->signals[i], NULL) < 0)
			return -ENOMEM;
	}
	return 0;
}

void
init_lifetime(struct server *server)
{
	timer_init(&server->housekeeping, on_housekeeping);
	timer_init(&server->drain_timeout, on_drain_timeout);
	timer_init(&server->last_replies, on_last_replies);
	timer_init(&server->watchdog, on_watchdog);
}
