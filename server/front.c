/* The two HTTP servers, the public one and the admin one: their addresses, limits, users and certificates. */
#include "private.h"

#include "common/cleanup.h"
#include "common/log.h"
#include "common/text.h"
#include "config/address.h"
#include "http/login/auth.h"
#include "http/server.h"
#include "notify.h"
#include "operations/operations.h"
#include "routes.h"
#include "watch/access_log.h"
#include "watch/admin.h"
#include "watch/metrics.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* The limits on a request; that on bodies is the caller's to set.  One field may fill the header. */
static struct guard_limits
request_limits(const struct config *config)
{
	return (struct guard_limits){
		.max_target_bytes = 8000,
		.max_line_bytes = config->max_header_bytes,
		.max_header_bytes = config->max_header_bytes,
		.max_header_count = config->max_header_fields,
		.max_chunk_ext_bytes = 256,
	};
}

static void
on_reply(void *arg, const struct http_request *request, int status, uint64_t body_bytes)
{
	struct server *server = arg;

	metrics_count_reply(server->metrics, status, body_bytes);
	access_log_reply(request, status, body_bytes);
}

static bool
take_room(void *arg, uint64_t bytes)
{
	struct server *server = arg;

	return operations_take_room(server->operations, bytes);
}

static void
give_room(void *arg, uint64_t bytes)
{
	struct server *server = arg;

	operations_give_room(server->operations, bytes);
}

static unsigned
room_retry_after(void *arg)
{
	struct server *server = arg;

	return operations_room_retry_after(server->operations);
}

/* The largest body that any route takes, and so the limit of the guard. */
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

/* The configuration of an address, NULL if there is none; *ret_secure: whether any address speaks TLS. */
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

/* Why a socket with that address is not served, NULL if it is: a socket that is handed over may not make the
 * server reachable from outside without log-in, nor without TLS. */
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

/* Listens on a socket that the service manager has handed over. */
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

/* Descriptors that calls to upstreams may need: a connection each. */
static rlim_t
upstream_descriptors(const struct config *config)
{
	for (size_t i = 0; i < config->route_count; i++)
		if (config->routes[i].work == CONFIG_UPSTREAM)
			return config->upstream_concurrency;
	return 0;
}

/* Connections that may be open at once.  The rest of the descriptors is for work and the store. */
static unsigned
most_connections(const struct config *config)
{
	const rlim_t reserve = 128 + 8 * (rlim_t)config->workers + upstream_descriptors(config);
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > UINT_MAX)
		return 0;
	rlim_t most = limit.rlim_cur > 2 * reserve ? limit.rlim_cur - reserve : limit.rlim_cur / 2;
	return (unsigned)most;
}

/* Whether the service manager has passed a socket with that address; adds the others' addresses to seen. */
static bool
is_passed(const char *address, int count, struct text *seen)
{
	for (int i = 0; i < count; i++) {
		CLEANUP_FREE char *passed = http_server_fd_address(NOTIFY_FIRST_FD + i);
		if (strcmp(passed, address) == 0)
			return true;
		text_addf(seen, "%s%s", seen->len ? "," : "", passed);
	}
	return false;
}

/* With sockets of the service manager, the other addresses of listen are not served. */
static void
warn_of_ignored(const struct config *config, int count)
{
	for (size_t i = 0; i < config->listen_count; i++) {
		CLEANUP(text_fini) struct text seen = {0};
		if (!is_passed(config->listen[i].address, count, &seen))
			log_warning("listen is ignored: the service manager passes sockets",
				"listen=%s sockets=%s", config->listen[i].address, seen.data);
	}
}

int
start_front(struct server *server)
{
	struct http_config config = {
		.limits = request_limits(server->config),
		.header_timeout_ms = server->config->header_timeout_ms,
		.idle_timeout_ms = server->config->idle_timeout_ms,
		.max_connections = most_connections(server->config),
		.max_connections_per_address = server->config->max_connections_per_address,
		.room = {take_room, give_room, room_retry_after, server},
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
	http_server_set_site(server->http, &server->config->site);
	http_server_set_router(server->http, routes_router(server->routes));
	int handed_over = notify_listen_fds();
	if (handed_over > 0)
		warn_of_ignored(server->config, handed_over);
	for (int i = 0; rc == 0 && i < handed_over; i++)
		rc = listen_on_fd(server, NOTIFY_FIRST_FD + i);
	for (size_t i = 0; rc == 0 && handed_over == 0 && i < server->config->listen_count; i++)
		rc = listen_on(server->http, &server->config->listen[i], "ready on");
	return rc;
}

/* The admin server: health, metrics, and everybody's operations.  On a local address every caller is an admin;
 * on others callers must log in. */
int
start_admin_front(struct server *server)
{
	struct http_config config = {
		.limits = request_limits(server->config),
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
	http_server_set_site(server->admin_http, &(struct http_site){.hosts = server->config->site.hosts});
	http_server_set_router(server->admin_http, server->admin_router);
	return listen_on(server->admin_http, &server->config->admin, "admin on");
}

/* Gives listening addresses their new certificates. */
static void
reload_tls(struct http_server *http, const struct config_listen *listen, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (listen[i].tls && http_server_set_tls(http, listen[i].address, listen[i].tls) < 0)
			log_warning("TLS on this address needs a restart", "address=%s", listen[i].address);
}

/* A reload may begin to require log-ins, but not end it: an address may be reachable from outside by now. */
static void
reload_users(struct server *server, struct users *users)
{
	if (users || !auth_has_users(server->auth))
		auth_set_users(server->auth, users);
	else
		log_warning("users not reloaded: removing \"auth\" needs a restart");
}

/* A reload opens and closes no address. */
static void
warn_of_new_listen(const struct config *now, const struct config *config)
{
	for (size_t i = 0; i < config->listen_count || i < now->listen_count; i++) {
		const char *old = i < now->listen_count ? now->listen[i].address : "none";
		const char *new = i < config->listen_count ? config->listen[i].address : "none";
		if (strcmp(old, new) != 0)
			log_warning("listen needs a restart", "now=%s configured=%s", old, new);
	}
}

void
reload_fronts(struct server *server, const struct config *config)
{
	warn_of_new_listen(server->config, config);
	reload_users(server, config->users);
	reload_tls(server->http, config->listen, config->listen_count);
	if (server->admin_http)
		reload_tls(server->admin_http, &config->admin, 1);
}
