/*
 * Connections: their beginning, their end, and the table of their states.
 *
 * evhttp reads from the input buffer of a bufferevent.  A callback on that buffer runs between the socket's
 * read and evhttp's parser: there the guard sees every byte first (connection_input.c).
 *
 * While a request is with its handler evhttp must not hear of input (it would end the process), so the read
 * callback is taken away; reading goes on, because the end of the stream shows that the client has left.
 */
#include "http/connection/connection.h"

#include "http/connection/input.h"
#include "http/connection/output.h"
#include "http/connection/refusal.h"
#include "http/connection/room.h"
#include "http/connection/tls.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* A request is with its handler, which has its own limits, or begins in a moment.  The timer may run as it was
 * left. */
static void
on_no_deadline(struct http_connection *connection)
{
	(void)connection;
}

/* The lane leaves the timer as it is, evhttp's requests do not. */
static void
enter_working(struct http_connection *connection, enum connection_state from)
{
	if (from == CONNECTION_COMPLETE || from == CONNECTION_READING)
		timer_stop(&connection->timer);
}

#define TO(state) (1 << CONNECTION_##state)

const struct connection_rule connection_rules[CONNECTION_STATE_COUNT] = {
	[CONNECTION_NEW] = {.next = TO(HEAD) | TO(READING) | TO(WORKING) | TO(ANSWERING) | TO(IDLE),
		.owner = CONNECTION_OF_EVHTTP,
		.on_deadline = connection_close},
	[CONNECTION_HEAD] = {.next = TO(READING) | TO(REFUSED),
		.owner = CONNECTION_OF_EVHTTP_DEAF,
		.on_enter = connection_input_enter_head,
		.on_deadline = connection_refusal_on_late},
	[CONNECTION_READING] = {.next = TO(JUDGING) | TO(COMPLETE) | TO(WORKING) | TO(REFUSED),
		.owner = CONNECTION_OF_EVHTTP,
		.on_enter = connection_input_enter_reading,
		.on_deadline = connection_refusal_on_late},
	[CONNECTION_JUDGING] = {.next = TO(READING) | TO(REFUSED),
		.owner = CONNECTION_OF_EVHTTP_DEAF,
		.on_enter = connection_input_enter_judging,
		.on_deadline = connection_refusal_on_late},
	[CONNECTION_COMPLETE] = {.next = TO(WORKING) | TO(REFUSED),
		.owner = CONNECTION_OF_EVHTTP,
		.on_deadline = connection_refusal_on_late},
	[CONNECTION_WORKING] = {.next = TO(FLUSHING) | TO(ANSWERING) | TO(IDLE),
		.owner = CONNECTION_OF_EVHTTP_DEAF,
		.on_enter = enter_working,
		.on_deadline = on_no_deadline},
	[CONNECTION_FLUSHING] = {.next = TO(IDLE),
		.owner = CONNECTION_OF_EVHTTP_DEAF,
		.on_enter = connection_output_enter_flushing,
		.on_deadline = connection_output_on_deadline},
	[CONNECTION_ANSWERING] = {.next = TO(IDLE),
		.owner = CONNECTION_OURS,
		.on_write = connection_output_on_written,
		.on_event = connection_output_on_event,
		.on_deadline = connection_output_on_deadline},
	[CONNECTION_NEXT] = {.next = TO(HEAD) | TO(READING) | TO(WORKING) | TO(ANSWERING) | TO(IDLE),
		.owner = CONNECTION_OF_EVHTTP,
		.on_enter = connection_input_enter_next,
		.on_deadline = on_no_deadline},
	[CONNECTION_IDLE] = {.next = TO(HEAD) | TO(READING) | TO(WORKING) | TO(ANSWERING) | TO(NEXT) |
				     TO(IDLE),
		.owner = CONNECTION_OF_EVHTTP,
		.on_enter = connection_input_enter_idle,
		.on_deadline = connection_input_on_idle_deadline},
	[CONNECTION_REFUSED] = {.next = TO(LINGERING),
		.owner = CONNECTION_OF_EVHTTP_DEAF,
		.on_enter = connection_refusal_enter_refused,
		.on_deadline = connection_refusal_on_refused_deadline},
	[CONNECTION_LINGERING] = {.owner = CONNECTION_OURS,
		.on_write = connection_refusal_on_written,
		.on_event = connection_refusal_on_event,
		.on_enter = connection_refusal_enter_lingering,
		.on_deadline = connection_close},
};

struct http_connection *
connection_new(struct connection_env *env, const struct connection_door *door, struct bufferevent *bev)
{
	struct http_connection *connection = xcalloc(1, sizeof *connection);

	connection->env = env;
	connection->door = door;
	connection->bev = bev;
	connection->peer.is_tls = door->tls != NULL;
	bufferevent_incref(bev);
	list_init(&connection->link);
	connection_state_init(connection);
	guard_init(&connection->guard, &env->limits);
	return connection;
}

static void
remember(struct connection_env *env, struct http_connection *connection)
{
	size_t fd = (size_t)bufferevent_getfd(connection->bev);

	if (fd >= env->by_fd_size) {
		size_t size = (fd + 1) * 2;
		struct http_connection **table = realloc(env->by_fd, size * sizeof *table);
		if (!table)
			abort();
		memset(table + env->by_fd_size, 0, (size - env->by_fd_size) * sizeof *table);
		env->by_fd = table;
		env->by_fd_size = size;
	}
	env->by_fd[fd] = connection;
}

static void
forget(struct connection_env *env, struct http_connection *connection)
{
	int fd = bufferevent_getfd(connection->bev);

	if (fd >= 0 && (size_t)fd < env->by_fd_size && env->by_fd[fd] == connection)
		env->by_fd[fd] = NULL;
}

struct http_connection *
connection_find(struct connection_env *env, const struct evhttp_connection *evhttp)
{
	/* libevent's getter takes no const. */
	int fd = bufferevent_getfd(
		evhttp_connection_get_bufferevent((struct evhttp_connection *)(uintptr_t)evhttp));

	assert(fd >= 0 && (size_t)fd < env->by_fd_size && env->by_fd[fd]);
	assert(env->by_fd[fd]->evhttp == evhttp);
	return env->by_fd[fd];
}

void
connection_env_fini(struct connection_env *env)
{
	free(env->by_fd);
	if (env->next_event)
		event_free(env->next_event);
}

static void
release(struct http_connection *connection)
{
	timer_stop(&connection->timer);
	if (connection->watch)
		event_free(connection->watch);
	list_remove(&connection->link);
	forget(connection->env, connection);
	connection->env->on_close(connection);
	connection_input_forget_next(connection);
	connection_room_give(connection);
	free(connection->seen);
	text_fini(&connection->host);
	free(connection->client_name);
	text_fini(&connection->refusal);
	free(connection);
}

/* evhttp has freed, or is about to free, its connection. */
static void
on_close(struct evhttp_connection *evhttp, void *arg)
{
	struct http_connection *connection = arg;
	struct http_request *request = connection->request;

	(void)evhttp;
	evbuffer_remove_cb(bufferevent_get_input(connection->bev), connection_input_on_bytes, connection);
	if (connection->peer.is_tls)
		tls_say_goodbye(connection->bev);
	connection_forget_early(connection);
	connection->request = NULL;
	if (request)
		http_request_leave(request);
	release(connection);
}

/* The port of our end; 0: a unix socket. */
static unsigned
read_local_port(int fd)
{
	struct sockaddr_storage address = {0};
	socklen_t len = sizeof address;

	if (getsockname(fd, (struct sockaddr *)&address, &len) < 0)
		return 0;
	if (address.ss_family == AF_INET)
		return ntohs(((struct sockaddr_in *)&address)->sin_port);
	return address.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&address)->sin6_port) : 0;
}

static void
read_address(struct http_connection *connection)
{
	char *address = NULL;
	ev_uint16_t port;

	evhttp_connection_get_peer(connection->evhttp, &address, &port);
	connection->peer.local_port = read_local_port(bufferevent_getfd(connection->bev));
	if (address && !connection->door->is_unix)
		strncpy(connection->peer.address, address, sizeof connection->peer.address - 1);
}

/* Takes the connection over from evhttp, whose callbacks have its connection as their argument. */
static void
take_over(struct http_connection *connection, struct evhttp_connection *evhttp)
{
	connection->evhttp = evhttp;
	evhttp_connection_set_closecb(evhttp, on_close, connection);
	evbuffer_add_cb(bufferevent_get_input(connection->bev), connection_input_on_bytes, connection);
	/* evhttp need not hear of input that the lane has taken. */
	bufferevent_setwatermark(connection->bev, EV_READ, 1, 0);
	read_address(connection);
	remember(connection->env, connection);
	connection_start_timer(connection, connection->env->header_timeout_ms);
}

bool
connection_adopt(struct http_connection *connection)
{
	struct connection_env *env = connection->env;
	struct bufferevent *bev = connection->bev;
	bufferevent_data_cb on_read, on_write;
	bufferevent_event_cb on_event;
	void *arg = NULL;

	bufferevent_getcb(bev, &on_read, &on_write, &on_event, &arg);
	bool is_alive = arg && bufferevent_getfd(bev) >= 0;
	if (is_alive) {
		env->evhttp_on_read = on_read;
		env->evhttp_on_write = on_write;
		env->evhttp_on_event = on_event;
		take_over(connection, arg);
	}
	bufferevent_decref(bev);
	if (!is_alive)
		release(connection);
	return is_alive;
}

void
connection_begin_request(struct http_connection *connection, struct http_request *request)
{
	assert(!connection->request);
	connection->request = request;
	connection_go(connection, CONNECTION_WORKING);
}

/* The kernel reports more than the bufferevent is to read at the moment: no longer. */
static void
on_watch(evutil_socket_t fd, short what, void *arg)
{
	struct http_connection *connection = arg;

	(void)fd;
	(void)what;
	if (!(bufferevent_get_enabled(connection->bev) & EV_READ))
		event_del(connection->watch);
}

/* evhttp stops reading for each request and begins again after it, and the kernel would have to be told both
 * times.  While an event of our own wants to read as well, it need not be. */
static void
keep_watching(struct http_connection *connection)
{
	if (!connection->watch)
		connection->watch = event_new(connection->env->base, bufferevent_getfd(connection->bev),
			EV_READ | EV_PERSIST, on_watch, connection);
	if (!connection->watch || event_add(connection->watch, NULL) < 0)
		abort();
}

void
connection_watch_request(struct http_connection *connection)
{
	bufferevent_enable(connection->bev, EV_READ);
	if (!connection->peer.is_tls)
		keep_watching(connection);
}

const char *
connection_client_name(struct http_connection *connection, size_t *ret_len)
{
	if (!connection->client_is_read && connection->peer.is_tls)
		connection->client_name = tls_client_name(connection->bev, &connection->client_name_len);
	connection->client_is_read = true;
	*ret_len = connection->client_name_len;
	return connection->client_name;
}

void
connection_drain(struct http_connection *connection)
{
	connection->is_closing = true;
	if (connection->state == CONNECTION_IDLE || connection->state == CONNECTION_NEW)
		connection_close(connection);
}
