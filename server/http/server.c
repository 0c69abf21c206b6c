/*
 * An HTTP server: puts its parts together, and keeps the connections and their limits.
 */
#include "http/server.h"

#include "http/connection/address_count.h"
#include "http/connection/connection.h"
#include "http/listener.h"
#include "http/transport/dispatch.h"
#include "http/transport/early.h"
#include "http/transport/lane.h"

#include "common/log.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

struct http_server {
	struct dispatch dispatch;
	struct listener_owner owner; /* of the listeners */
	struct list listeners;
	struct list connections;     /* adopted */
	struct list new_connections; /* evhttp may not have made its side yet */
	struct event *adopt_event;   /* runs before the loop next waits */
	unsigned connection_count, max_connections;
	struct address_counts addresses; /* of the connections */
	unsigned max_connections_per_address;
	bool is_draining;
};

static struct http_server *
server_of(struct http_connection *connection)
{
	return container_of(dispatch_of_connection(connection), struct http_server, dispatch);
}

/* Whether there may be one more connection from this address. */
static bool
count_address(struct http_server *server, struct http_connection *connection)
{
	if (server->max_connections_per_address == 0 || connection->peer.address[0] == '\0')
		return true;
	connection->address_count = address_count_add(
		&server->addresses, connection->peer.address, server->max_connections_per_address);
	return connection->address_count != NULL;
}

static void
adopt(struct http_server *server, struct http_connection *connection)
{
	list_remove(&connection->link);
	if (!connection_adopt(connection))
		return;
	list_add_tail(&server->connections, &connection->link);
	if (!count_address(server, connection))
		connection_close(connection);
	else if (server->is_draining)
		connection_drain(connection);
}

static void
adopt_all(struct http_server *server)
{
	while (!list_is_empty(&server->new_connections))
		adopt(server, container_of(server->new_connections.next, struct http_connection, link));
}

static void
on_adopt(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	adopt_all(arg);
}

/* Stops accepting at the last connection that there may be. */
static void
close_doors(struct http_server *server)
{
	log_warning("connection limit reached: accepting when a connection ends", "connections=%u",
		server->connection_count);
	server->owner.is_full = true;
	list_for_each(node, &server->listeners)
		http_listener_pause(container_of(node, struct http_listener, link));
}

static void
open_doors(struct http_server *server)
{
	server->owner.is_full = false;
	list_for_each(node, &server->listeners)
		http_listener_resume(container_of(node, struct http_listener, link));
}

static void
on_accept(struct listener_owner *owner, const struct connection_door *door, struct bufferevent *bev)
{
	struct http_server *server = container_of(owner, struct http_server, owner);
	struct http_connection *connection = connection_new(&server->dispatch.connections, door, bev);

	list_add_tail(&server->new_connections, &connection->link);
	if (++server->connection_count == server->max_connections)
		close_doors(server);
	event_active(server->adopt_event, 0, 0);
}

static void
on_close(struct http_connection *connection)
{
	struct http_server *server = server_of(connection);

	server->connection_count--;
	address_count_remove(&server->addresses, connection->address_count);
	if (server->owner.is_full)
		open_doors(server);
}

static void
set_up(struct dispatch *dispatch, struct event_base *base, struct timers *timers,
	const struct http_config *config)
{
	dispatch->shared = (struct http_shared){
		.public_url = config->public_url, .on_reply = config->on_reply, .arg = config->arg};
	http_shared_init(&dispatch->shared);
	dispatch->connections = (struct connection_env){
		.base = base,
		.timers = timers,
		.limits = config->limits,
		.header_timeout_ms = config->header_timeout_ms,
		.idle_timeout_ms = config->idle_timeout_ms,
		.shared = &dispatch->shared,
		.room = config->room,
		.on_whole = lane_answer,
		.on_head = early_judge,
		.on_close = on_close,
		.rules = connection_rules,
	};
	dispatch->auth = config->auth;
	dispatch->all_admins = config->all_admins;
	lane_init(dispatch);
}

int
http_server_new(struct event_base *base, struct timers *timers, const struct http_config *config,
	struct http_server **ret_server)
{
	struct http_server *server = xcalloc(1, sizeof *server);

	set_up(&server->dispatch, base, timers, config);
	server->owner = (struct listener_owner){.dispatch = &server->dispatch, .on_accept = on_accept};
	server->max_connections = config->max_connections;
	server->max_connections_per_address = config->max_connections_per_address;
	list_init(&server->listeners);
	address_counts_init(&server->addresses);
	list_init(&server->connections);
	list_init(&server->new_connections);
	server->adopt_event = event_new(base, -1, 0, on_adopt, server);
	if (!server->adopt_event)
		abort();
	*ret_server = server;
	return 0;
}

void
http_server_set_site(struct http_server *server, const struct http_site *site)
{
	http_site_fini(&server->dispatch.site);
	http_site_copy(&server->dispatch.site, site);
}

void
http_server_set_router(struct http_server *server, const struct router *router)
{
	server->dispatch.router = router;
}

int
http_server_listen(
	struct http_server *server, const char *address, struct ssl_ctx_st *tls, char **ret_address)
{
	struct http_listener *listener;
	int rc = http_listener_new(&server->owner, address, tls, &listener, ret_address);

	if (rc == 0)
		list_add_tail(&server->listeners, &listener->link);
	return rc;
}

int
http_server_listen_fd(struct http_server *server, int fd, struct ssl_ctx_st *tls, char **ret_address)
{
	struct http_listener *listener;
	int rc = http_listener_new_fd(&server->owner, fd, tls, &listener, ret_address);

	if (rc == 0)
		list_add_tail(&server->listeners, &listener->link);
	return rc;
}

char *
http_server_fd_address(int fd)
{
	return http_listener_fd_address(fd);
}

int
http_server_set_tls(struct http_server *server, const char *address, struct ssl_ctx_st *tls)
{
	list_for_each(node, &server->listeners) {
		struct http_listener *listener = container_of(node, struct http_listener, link);
		if (!listener->door.tls || strcmp(listener->address, address) != 0)
			continue;
		http_listener_set_tls(listener, tls);
		return 0;
	}
	return -ENOENT;
}

void
http_server_drain(struct http_server *server)
{
	server->is_draining = true;
	list_for_each(node, &server->listeners)
		http_listener_stop(container_of(node, struct http_listener, link));
	list_for_each_safe(node, &server->connections)
		connection_drain(container_of(node, struct http_connection, link));
}

unsigned
http_server_connections(const struct http_server *server)
{
	return server->connection_count;
}

unsigned
http_server_requests(const struct http_server *server)
{
	return server->dispatch.shared.request_count;
}

void
http_server_free(struct http_server *server)
{
	if (!server)
		return;
	adopt_all(server);
	list_for_each_safe(node, &server->connections)
		connection_close(container_of(node, struct http_connection, link));
	/* Their clients have left, and their handlers have replied. */
	assert(server->dispatch.shared.request_count == 0);
	list_for_each_safe(node, &server->listeners)
		http_listener_free(container_of(node, struct http_listener, link));
	event_free(server->adopt_event);
	address_counts_fini(&server->addresses);
	lane_fini(&server->dispatch);
	http_site_fini(&server->dispatch.site);
	connection_env_fini(&server->dispatch.connections);
	http_shared_fini(&server->dispatch.shared);
	free(server);
}
