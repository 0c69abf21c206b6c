/* Private to this folder: struct server, and the steps of its start that front.c and lifetime.c define. */
#pragma once

#include "common/loop/pool.h"
#include "common/loop/timer.h"
#include "config/config.h"
#include "server.h"

#include <stdbool.h>
#include <stdint.h>

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

	int64_t watchdog_ms; /* how often to send WATCHDOG=1; 0: never */
	struct timer watchdog;

	bool draining;
	struct timer drain_timeout;
	struct timer last_replies;
	int64_t last_replies_until_ms;
};

/* front.c: steps of the start.  Return 0 or -errno; standard error says why. */
__attribute__((warn_unused_result)) int start_front(struct server *server);
__attribute__((warn_unused_result)) int start_admin_front(struct server *server);
/* Takes over users and TLS certificates from a reloaded configuration.  Shares the users of config. */
void reload_fronts(struct server *server, const struct config *config);

/* lifetime.c: steps of the start. */
__attribute__((warn_unused_result)) int handle_signals(struct server *server);
__attribute__((warn_unused_result)) int start_housekeeping(struct server *server);
__attribute__((warn_unused_result)) int tell_manager(struct server *server);
/* Initializes the timers, so that they may be stopped whether they were started or not.  Comes first. */
void init_lifetime(struct server *server);
