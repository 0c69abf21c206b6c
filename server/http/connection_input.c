/*
 * What comes in on a connection: see connection_parts.h.  The guard sees every byte before evhttp does, one
 * request at a time: bytes of a next one wait in the input, not yet guarded and bounded, until the reply is
 * out.
 */
#include "http/connection_parts.h"

#include "common/clock.h"
#include "http/early.h"
#include "http/lane.h"
#include "http/listener.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>

/* Bytes of next requests that wait while one is answered; beyond it reading pauses. */
#define PIPELINE_BYTES (16 * 1024)

/* Cuts len bytes out of the input, at an offset. */
static void
cut(struct http_connection *connection, size_t at, size_t len)
{
	struct evbuffer *input = bufferevent_get_input(connection->bev);
	struct evbuffer *head = evbuffer_new();

	if (!head)
		abort();
	connection->feeding = true;
	if (at > 0)
		evbuffer_remove_buffer(input, head, at);
	evbuffer_drain(input, len);
	evbuffer_prepend_buffer(input, head);
	connection->feeding = false;
	evbuffer_free(head);
}

/* Does with the *used bytes of the input at an offset as the guard says.  Whether it is to be fed the rest;
 * then *used is how many of them are still there. */
static bool
take_verdict(struct http_connection *connection, enum guard_verdict verdict, size_t at, size_t *used)
{
	switch (verdict) {
	case GUARD_PASS:
		return true;
	case GUARD_DROP:
		cut(connection, at, *used);
		*used = 0;
		return true;
	case GUARD_COMPLETE:
		connection->complete = true;
		return false;
	case GUARD_REFUSE:
		cut(connection, at, evbuffer_get_length(bufferevent_get_input(connection->bev)) - at);
		connection_begin_refusal(connection);
		return false;
	}
	return false;
}

/* Feeds the guard with the input from offset at, up to the end of one request. */
static void
feed(struct http_connection *connection, size_t at)
{
	struct evbuffer *input = bufferevent_get_input(connection->bev);
	struct evbuffer_iovec piece;
	struct evbuffer_ptr from;

	while (at < evbuffer_get_length(input) && evbuffer_ptr_set(input, &from, at, EVBUFFER_PTR_SET) == 0 &&
		evbuffer_peek(input, -1, &from, &piece, 1) > 0) {
		size_t used = 0;
		enum guard_verdict verdict =
			guard_feed(&connection->guard, piece.iov_base, piece.iov_len, &used);
		if (!take_verdict(connection, verdict, at, &used))
			return;
		at += used;
	}
}

static void
begin_reading(struct http_connection *connection)
{
	connection->state = CONNECTION_READING;
	connection->progress_mark = 0;
	connection_start_timer(connection, connection_header_timeout(connection));
}

/* The timer is left as it is where it runs out no later, and started anew for what is left when it does. */
static void
start_idling(struct http_connection *connection, int64_t since_us)
{
	int64_t idle_ms = connection->listener->server->config.idle_timeout_ms;

	connection->state = CONNECTION_IDLE;
	connection->idle_since_us = since_us;
	if (!timer_is_running(&connection->timer) || connection->timer.at_ms > since_us / 1000 + idle_ms)
		connection_start_timer(connection, idle_ms);
}

bool
connection_has_idled(struct http_connection *connection)
{
	int64_t idle_ms = (clock_mono_us() - connection->idle_since_us) / 1000;
	int64_t left_ms = connection->listener->server->config.idle_timeout_ms - idle_ms;

	if (left_ms > 0)
		connection_start_timer(connection, left_ms);
	return left_ms <= 0;
}

void
connection_drop_input(struct http_connection *connection)
{
	struct evbuffer *input = bufferevent_get_input(connection->bev);

	connection->feeding = true;
	evbuffer_drain(input, evbuffer_get_length(input));
	connection->feeding = false;
}

void
connection_hold_in_lane(struct http_connection *connection, struct http_request *request)
{
	assert(!connection->request);
	connection->request = request;
	connection->state = CONNECTION_BUSY;
	connection_drop_input(connection);
}

/*
 * The first bytes of a request have come, and nothing else is in the input.  If they are one whole request
 * that the lane can answer, it is answered and gone; else the guard goes on with what it has not seen, or
 * with what follows the request.
 */
static void
begin_request(struct http_connection *connection)
{
	struct evbuffer *input = bufferevent_get_input(connection->bev);
	struct guard *guard = &connection->guard;
	size_t len = evbuffer_get_length(input), used = 0;
	struct evbuffer_iovec piece;
	int64_t began_us;

	if (evbuffer_peek(input, -1, NULL, &piece, 1) != 1 || piece.iov_len != len ||
		evbuffer_get_length(bufferevent_get_output(connection->bev)) > 0) {
		begin_reading(connection);
		feed(connection, 0);
		return;
	}
	guard->note = &connection->listener->server->note;
	enum guard_verdict verdict = guard_feed(guard, piece.iov_base, len, &used);
	guard->note = NULL;
	if (verdict == GUARD_COMPLETE && used == len &&
		lane_answer(
			connection, piece.iov_base, len, &connection->listener->server->note, &began_us)) {
		connection_drop_input(connection);
		if (connection->state != CONNECTION_BUSY)
			start_idling(connection, began_us);
		return;
	}
	begin_reading(connection);
	if (verdict == GUARD_PASS && used == len && guard->in_body)
		early_judge(connection, piece.iov_base, len, &connection->listener->server->note);
	else if (take_verdict(connection, verdict, 0, &used))
		feed(connection, used);
}

void
connection_on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
	struct http_connection *connection = arg;

	if (connection->feeding || info->n_added == 0)
		return;
	size_t len = evbuffer_get_length(input);
	switch (connection->state) {
	case CONNECTION_LINGERING:
		connection->lingered_bytes += info->n_added;
		evbuffer_drain(input, len);
		if (connection->lingered_bytes > connection->linger_bytes)
			connection_start_timer(connection, 0);
		return;
	case CONNECTION_BUSY:
		/* evhttp does not know that there is a request before it. */
		if (connection->request && connection->request->is_held)
			connection_stop_reading(connection);
		if (len > PIPELINE_BYTES)
			bufferevent_disable(connection->bev, EV_READ);
		return;
	case CONNECTION_NEW:
	case CONNECTION_IDLE:
		begin_request(connection);
		return;
	case CONNECTION_READING:
		break;
	}
	if (!connection->complete)
		feed(connection, len - info->n_added);
}

void
connection_next_request(struct http_connection *connection)
{
	connection->complete = false;
	start_idling(connection, clock_mono_us());
	if (evbuffer_get_length(bufferevent_get_input(connection->bev)) > 0) {
		begin_reading(connection);
		feed(connection, 0);
	}
}
