/* The front as a whole: see server.h. */
#include "http/server.h"

#include "common/id.h"
#include "common/text.h"
#include "http/connection.h"
#include "http/lane.h"
#include "http/listener.h"
#include "http/tls.h"

#include <assert.h>
#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdlib.h>
#include <string.h>

static void
remember_fd(struct http_server *server, struct http_connection *connection)
{
	size_t fd = (size_t)bufferevent_getfd(connection->bev);

	if (fd >= server->by_fd_size) {
		size_t size = (fd + 1) * 2;
		struct http_connection **table = realloc(server->by_fd, size * sizeof *table);
		if (!table)
			abort();
		memset(table + server->by_fd_size, 0, (size - server->by_fd_size) * sizeof *table);
		server->by_fd = table;
		server->by_fd_size = size;
	}
	server->by_fd[fd] = connection;
}

static void
on_adopt(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *server = arg;

	(void)fd;
	(void)what;
	while (!list_is_empty(&server->new_connections)) {
		struct http_connection *connection =
			container_of(server->new_connections.next, struct http_connection, link);
		list_remove(&connection->link);
		if (!connection_adopt(connection))
			continue;
		list_add_tail(&server->connections, &connection->link);
		remember_fd(server, connection);
		if (server->draining)
			connection_drain(connection);
	}
}

int
http_server_new(struct event_base *base, struct timers *timers, const struct http_config *config,
	struct http_server **ret_server)
{
	struct http_server *server = xcalloc(1, sizeof *server);

	server->base = base;
	server->timers = timers;
	server->config = *config;
	random_bytes(&server->id_prefix, sizeof server->id_prefix);
	list_init(&server->listeners);
	address_counts_init(&server->addresses);
	list_init(&server->connections);
	list_init(&server->new_connections);
	list_init(&server->lane_spares);
	server->adopt_event = event_new(base, -1, 0, on_adopt, server);
	if (!server->adopt_event)
		abort();
	*ret_server = server;
	return 0;
}

void
http_server_set_router(struct http_server *server, const struct router *router)
{
	server->router = router;
}

int
http_server_listen(
	struct http_server *server, const char *address, struct ssl_ctx_st *tls, char **ret_address)
{
	struct http_listener *listener;
	int rc = http_listener_new(server, address, tls, &listener, ret_address);

	if (rc == 0)
		list_add_tail(&server->listeners, &listener->link);
	return rc;
}

int
http_server_set_tls(struct http_server *server, const char *address, struct ssl_ctx_st *tls)
{
	list_for_each(node, &server->listeners) {
		struct http_listener *listener = container_of(node, struct http_listener, link);
		if (!listener->tls || !listener->address || strcmp(listener->address, address) != 0)
			continue;
		tls_unref(listener->tls);
		listener->tls = tls_ref(tls);
		return 0;
	}
	return -ENOENT;
}

int
http_server_listen_fd(struct http_server *server, int fd, struct ssl_ctx_st *tls, char **ret_address)
{
	struct http_listener *listener;
	int rc = http_listener_new_fd(server, fd, tls, &listener, ret_address);

	if (rc < 0)
		return rc;
	listener->address = xstrdup(*ret_address);
	list_add_tail(&server->listeners, &listener->link);
	return 0;
}

void
http_server_drain(struct http_server *server)
{
	server->draining = true;
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
	return server->request_count;
}

void
http_server_free(struct http_server *server)
{
	if (!server)
		return;
	on_adopt(-1, 0, server);
	list_for_each_safe(node, &server->connections)
		connection_close(container_of(node, struct http_connection, link));
	/* Their clients have left: whoever had them has answered. */
	assert(server->request_count == 0);
	list_for_each_safe(node, &server->listeners)
		http_listener_free(container_of(node, struct http_listener, link));
	event_free(server->adopt_event);
	address_counts_fini(&server->addresses);
	text_fini(&server->head);
	lane_fini(server);
	free(server->by_fd);
	free(server);
}
