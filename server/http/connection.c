/*
 * A connection: see connection.h.
 *
 * evhttp reads from the input buffer of a bufferevent.  A callback on that buffer runs between the socket's
 * read and evhttp's parser: there the guard sees every byte first (connection_input.c).  What it passes stays
 * where it is; what it drops is cut out; and when it refuses, the rest is cut off and the connection is taken
 * out of evhttp's hands (connection_refusal.c).
 *
 * While a request is with its handler evhttp must not be told of input (it would end the process), so the
 * read callback is taken away; reading goes on, because the end of the stream is how a client's leaving is
 * noticed.
 */
#include "http/connection_parts.h"

#include "common/http/problem.h"
#include "http/listener.h"
#include "http/tls.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdlib.h>
#include <string.h>

/* A body must come at least at this rate, and a reply be taken, over any interval of its deadline. */
#define LEAST_BYTES_PER_SECOND 512

static void
release(struct http_connection *connection)
{
	timer_stop(&connection->timer);
	if (connection->watch)
		event_free(connection->watch);
	list_remove(&connection->link);
	http_listener_forget(connection->listener, connection);
	free(connection->client_name);
	text_fini(&connection->refusal);
	free(connection);
}

int64_t
connection_header_timeout(const struct http_connection *connection)
{
	return connection->listener->server->config.header_timeout_ms;
}

void
connection_start_timer(struct http_connection *connection, int64_t after_ms)
{
	timer_start(connection->listener->server->timers, &connection->timer, after_ms);
}

/* Whether at least the least rate has been kept over the last interval; then the next one begins. */
static bool
makes_progress(struct http_connection *connection, uint64_t bytes)
{
	int64_t interval_ms = connection_header_timeout(connection);
	uint64_t least = (uint64_t)interval_ms * LEAST_BYTES_PER_SECOND / 1000;

	if (bytes - connection->progress_mark < least)
		return false;
	connection->progress_mark = bytes;
	connection_start_timer(connection, interval_ms);
	return true;
}

/* It is judged for nobody any more. */
static void
forget_early(struct http_connection *connection)
{
	if (connection->early)
		connection->early->connection = NULL;
	connection->early = NULL;
}

static void
on_deadline(struct timer *timer)
{
	struct http_connection *connection = container_of(timer, struct http_connection, timer);

	switch (connection->state) {
	case CONNECTION_READING:
		if (connection->guard.in_body && makes_progress(connection, connection->guard.body_bytes))
			return;
		connection->guard.problem = PROBLEM_REQUEST_TIMEOUT;
		connection->guard.reason = "The request did not arrive in time.";
		forget_early(connection);
		connection_begin_refusal(connection);
		connection_write_refusal(connection);
		return;
	case CONNECTION_BUSY:
		/* While a request is with its handler, the timer may run as it was left. */
		if (connection->request || makes_progress(connection, connection_bytes_taken(connection)))
			return;
		break;
	case CONNECTION_LINGERING:
		if (connection->refused) {
			connection_write_refusal(connection);
			return;
		}
		break;
	case CONNECTION_IDLE:
		if (!connection_has_idled(connection))
			return;
		break;
	case CONNECTION_NEW:
		break;
	}
	connection_close(connection);
}

struct http_connection *
connection_new(struct http_listener *listener, struct bufferevent *bev)
{
	struct http_connection *connection = xcalloc(1, sizeof *connection);

	connection->listener = listener;
	connection->bev = bev;
	connection->is_tls = listener->tls != NULL;
	bufferevent_incref(bev);
	list_init(&connection->link);
	timer_init(&connection->timer, on_deadline);
	guard_init(&connection->guard, &listener->server->config.limits);
	return connection;
}

/* evhttp has freed, or is about to free, its connection. */
static void
on_close(struct evhttp_connection *evhttp, void *arg)
{
	struct http_connection *connection = arg;
	struct http_request *request = connection->request;
	http_gone_fn on_gone = NULL;

	(void)evhttp;
	evbuffer_remove_cb(bufferevent_get_input(connection->bev), connection_on_input, connection);
	if (connection->is_tls)
		tls_say_goodbye(connection->bev);
	forget_early(connection);
	if (request) {
		request->connection = NULL;
		/* A request still tied to its connection is freed together with it. */
		if (request->evhttp && evhttp_request_get_connection(request->evhttp))
			request->evhttp = NULL;
		on_gone = request->on_gone;
	}
	release(connection);
	if (on_gone)
		on_gone(request);
}

/* Whether there may be one more connection from where this one comes. */
static bool
count_address(struct http_connection *connection)
{
	struct http_server *server = connection->listener->server;
	unsigned max = server->config.max_connections_per_address;

	if (max == 0 || connection->remote_address[0] == '\0')
		return true;
	connection->address_count = address_count_add(&server->addresses, connection->remote_address, max);
	return connection->address_count != NULL;
}

bool
connection_adopt(struct http_connection *connection)
{
	struct bufferevent *bev = connection->bev;
	bufferevent_data_cb on_read, on_write;
	bufferevent_event_cb on_event;
	void *arg = NULL;

	bufferevent_getcb(bev, &on_read, &on_write, &on_event, &arg);
	bool alive = arg && bufferevent_getfd(bev) >= 0;
	if (alive) {
		char *address = NULL;
		ev_uint16_t port;

		connection->evhttp = arg; /* evhttp's callbacks have its connection as their argument */
		connection->listener->on_read = on_read;
		connection->listener->on_write = on_write;
		connection->listener->on_event = on_event;
		evhttp_connection_set_closecb(connection->evhttp, on_close, connection);
		evbuffer_add_cb(bufferevent_get_input(bev), connection_on_input, connection);
		/* evhttp need not be told of input that the lane has taken. */
		bufferevent_setwatermark(bev, EV_READ, 1, 0);
		evhttp_connection_get_peer(connection->evhttp, &address, &port);
		if (address && !connection->listener->is_unix)
			strncpy(connection->remote_address, address, sizeof connection->remote_address - 1);
		connection_start_timer(connection, connection_header_timeout(connection));
	}
	bufferevent_decref(bev);
	if (!alive) {
		release(connection);
		return false;
	}
	if (count_address(connection))
		return true;
	connection_close(connection);
	return false;
}

/* Keeps evhttp's other callbacks but the one for input. */
void
connection_stop_reading(struct http_connection *connection)
{
	bufferevent_data_cb on_read, on_write;
	bufferevent_event_cb on_event;
	void *arg;

	bufferevent_getcb(connection->bev, &on_read, &on_write, &on_event, &arg);
	bufferevent_setcb(connection->bev, NULL, on_write, on_event, arg);
}

void
connection_pause(struct http_connection *connection)
{
	connection->paused = true;
	connection_stop_reading(connection);
	bufferevent_disable(connection->bev, EV_READ);
}

void
connection_go_on(struct http_connection *connection)
{
	const struct http_listener *listener = connection->listener;

	if (!connection->paused)
		return;
	connection->paused = false;
	bufferevent_setcb(connection->bev, listener->on_read, listener->on_write, listener->on_event,
		connection->evhttp);
	bufferevent_enable(connection->bev, EV_READ);
	bufferevent_trigger(connection->bev, EV_READ, BEV_OPT_DEFER_CALLBACKS);
}

void
connection_begin_request(struct http_connection *connection, struct http_request *request)
{
	assert(!connection->request);
	connection->request = request;
	connection->state = CONNECTION_BUSY;
	timer_stop(&connection->timer);
}

/* The kernel tells of more than the bufferevent is to read at the moment: not any more. */
static void
on_watch(evutil_socket_t fd, short what, void *arg)
{
	struct http_connection *connection = arg;

	if (!(bufferevent_get_enabled(connection->bev) & EV_READ))
		event_del(connection->watch);
}

/* evhttp has stopped reading for this request, and each time the kernel would have to be told of that and of
 * its end again: while an event of our own wants to read as well, it is told of neither. */
static void
keep_watching(struct http_connection *connection)
{
	if (!connection->watch)
		connection->watch = event_new(connection->listener->server->base,
			bufferevent_getfd(connection->bev), EV_READ | EV_PERSIST, on_watch, connection);
	if (!connection->watch || event_add(connection->watch, NULL) < 0)
		abort();
}

void
connection_hold_request(struct http_connection *connection)
{
	connection_stop_reading(connection);
	bufferevent_enable(connection->bev, EV_READ);
	if (!connection->is_tls)
		keep_watching(connection);
}

const char *
connection_client_name(struct http_connection *connection)
{
	if (!connection->client_is_read && connection->is_tls)
		connection->client_name = tls_client_name(connection->bev);
	connection->client_is_read = true;
	return connection->client_name;
}

void
connection_close(struct http_connection *connection)
{
	if (connection->evhttp)
		evhttp_connection_free(connection->evhttp);
}

void
connection_drain(struct http_connection *connection)
{
	connection->closing = true;
	if (connection->state == CONNECTION_IDLE || connection->state == CONNECTION_NEW)
		connection_close(connection);
}
