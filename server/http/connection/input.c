/* Input of a connection: what the guard passes stays where it is, what it drops is cut out, and when it
 * refuses, the rest is cut off and the connection is taken out of evhttp's hands. */
#include "http/connection/input.h"

#include "common/clock.h"
#include "http/connection/refusal.h"
#include "http/connection/room.h"
#include "http/message/lines.h"

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
	connection->is_feeding = true;
	if (at > 0)
		evbuffer_remove_buffer(input, head, at);
	evbuffer_drain(input, len);
	evbuffer_prepend_buffer(input, head);
	connection->is_feeding = false;
	evbuffer_free(head);
}

/* Does what the guard says with the *used bytes of the input at an offset.  Returns whether the rest is to be
 * fed; *used is then how many of the bytes are still there. */
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
		if (connection->state == CONNECTION_HEAD)
			connection_go(connection, CONNECTION_READING);
		/* While the head is judged, connection_input_resume finds it out. */
		if (connection->state == CONNECTION_READING)
			connection_go(connection, CONNECTION_COMPLETE);
		return false;
	case GUARD_REFUSE:
		cut(connection, at, evbuffer_get_length(bufferevent_get_input(connection->bev)) - at);
		connection_go(connection, CONNECTION_REFUSED);
		return false;
	}
	return false;
}

/* Keeps the host of an absolute target, which the guard drops; the slash after it goes with it. */
static void
keep_host(struct http_connection *connection, const char *data, size_t len)
{
	text_add(&connection->host, data, len > 0 && data[len - 1] == '/' ? len - 1 : len);
}

/* Feeds the guard with one piece of the input from offset *at on.  Returns whether there is more to feed. */
static bool
feed_piece(struct http_connection *connection, size_t *at)
{
	struct evbuffer *input = bufferevent_get_input(connection->bev);
	bool is_host = guard_reads_host(&connection->guard);
	struct evbuffer_iovec piece;
	struct evbuffer_ptr from;
	size_t used = 0;

	if (*at >= evbuffer_get_length(input) || evbuffer_ptr_set(input, &from, *at, EVBUFFER_PTR_SET) < 0 ||
		evbuffer_peek(input, -1, &from, &piece, 1) <= 0)
		return false;
	enum guard_verdict verdict = guard_feed(&connection->guard, piece.iov_base, piece.iov_len, &used);
	if (is_host && verdict == GUARD_DROP)
		keep_host(connection, piece.iov_base, used);
	if (!take_verdict(connection, verdict, *at, &used))
		return false;
	*at += used;
	return true;
}

/* Feeds the guard with the input from offset at, up to the end of one request. */
static void
feed(struct http_connection *connection, size_t at)
{
	while (feed_piece(connection, &at))
		;
}

static const char *
head_of(struct http_connection *connection)
{
	return (const char *)evbuffer_pullup(
		bufferevent_get_input(connection->bev), (ev_ssize_t)connection->head_len);
}

/* Makes room for bytes of a body that have come.  If there is none, the request is refused. */
static bool
take_room(struct http_connection *connection, size_t bytes)
{
	bool has_room = connection_room_take(connection, bytes);

	if (!has_room)
		connection_refusal_for_room(connection);
	return has_room;
}

static void
judge_head(struct http_connection *connection)
{
	struct connection_env *env = connection->env;

	connection_input_see(connection);
	if (!take_room(connection,
		    evbuffer_get_length(bufferevent_get_input(connection->bev)) - connection->head_len))
		return;
	if (env->on_head)
		env->on_head(connection, head_of(connection), connection->head_len);
	connection->head_len = 0;
	if (connection->early)
		connection_go(connection, CONNECTION_JUDGING);
}

/* The head is whole, of len bytes, and a body follows.  One that is there already needs no judgement before. */
static void
end_head(struct http_connection *connection, size_t len)
{
	if (connection->state == CONNECTION_HEAD)
		connection_go(connection, CONNECTION_READING);
	connection->head_len = len;
	feed(connection, len);
	if (connection->state == CONNECTION_READING)
		judge_head(connection);
	connection->head_len = 0;
}

/* Feeds the guard with the input from offset at, where a head goes on. */
static void
feed_head(struct http_connection *connection, size_t at)
{
	while (!connection->guard.in_body && feed_piece(connection, &at))
		;
	if (connection->guard.in_body)
		end_head(connection, at);
}

/* A head in the input is at its beginning, and evhttp has read nothing of it. */
void
connection_input_see(struct http_connection *connection)
{
	struct evbuffer *input = bufferevent_get_input(connection->bev);
	size_t len = connection->head_len ? connection->head_len : evbuffer_get_length(input);

	if (!connection->seen)
		connection->seen = seen_new(connection->env->shared,
			len > 0 ? (const char *)evbuffer_pullup(input, (ev_ssize_t)len) : "", len);
}

void
connection_input_unsee(struct http_connection *connection)
{
	free(connection->seen);
	connection->seen = NULL;
}

void
connection_input_enter_head(struct http_connection *connection, enum connection_state from)
{
	(void)from;
	connection->progress_mark = 0;
	connection_start_timer(connection, connection->env->header_timeout_ms);
}

void
connection_input_enter_reading(struct http_connection *connection, enum connection_state from)
{
	if (from == CONNECTION_JUDGING) {
		bufferevent_enable(connection->bev, EV_READ);
		bufferevent_trigger(connection->bev, EV_READ, BEV_OPT_DEFER_CALLBACKS);
		return;
	}
	if (from != CONNECTION_HEAD)
		connection_input_enter_head(connection, from);
}

void
connection_input_enter_judging(struct http_connection *connection, enum connection_state from)
{
	(void)from;
	bufferevent_disable(connection->bev, EV_READ);
}

void
connection_input_resume(struct http_connection *connection)
{
	if (connection->state != CONNECTION_JUDGING)
		return;
	connection_go(connection, CONNECTION_READING);
	if (!connection->guard.in_body)
		connection_go(connection, CONNECTION_COMPLETE);
}

/* A timer that runs out no later is left as it is, and started anew for the time that is left when it does. */
void
connection_input_enter_idle(struct http_connection *connection, enum connection_state from)
{
	int64_t idle_ms = connection->env->idle_timeout_ms;

	(void)from;
	if (!timer_is_running(&connection->timer) ||
		connection->timer.at_ms > connection->idle_since_us / 1000 + idle_ms)
		connection_start_timer(connection, idle_ms);
}

static void
go_idle(struct http_connection *connection, int64_t since_us)
{
	connection->idle_since_us = since_us;
	connection_go(connection, CONNECTION_IDLE);
}

void
connection_input_on_idle_deadline(struct http_connection *connection)
{
	int64_t idle_ms = (clock_mono_us() - connection->idle_since_us) / 1000;
	int64_t left_ms = connection->env->idle_timeout_ms - idle_ms;

	if (left_ms > 0)
		connection_start_timer(connection, left_ms);
	else
		connection_close(connection);
}

void
connection_input_drop(struct http_connection *connection)
{
	struct evbuffer *input = bufferevent_get_input(connection->bev);

	connection->is_feeding = true;
	evbuffer_drain(input, evbuffer_get_length(input));
	connection->is_feeding = false;
}

/* Whether the input is one piece, which is then in *ret_piece, and nothing is to be written. */
static bool
is_one_piece(const struct http_connection *connection, struct evbuffer_iovec *ret_piece)
{
	struct evbuffer *input = bufferevent_get_input(connection->bev);

	return evbuffer_peek(input, -1, NULL, ret_piece, 1) == 1 &&
	       ret_piece->iov_len == evbuffer_get_length(input) &&
	       evbuffer_get_length(bufferevent_get_output(connection->bev)) == 0;
}

/* Offers a request that has come whole to the lane.  Whether that has taken it. */
static bool
answer_whole(struct http_connection *connection, const struct evbuffer_iovec *piece)
{
	struct connection_env *env = connection->env;
	int64_t began_us;

	if (!env->on_whole ||
		!env->on_whole(connection, piece->iov_base, piece->iov_len, &env->note, &began_us))
		return false;
	connection_input_drop(connection);
	if (connection->state == CONNECTION_NEW || connection->state == CONNECTION_IDLE ||
		connection->state == CONNECTION_NEXT)
		go_idle(connection, began_us);
	return true;
}

/* Whether the guard has read as far as evhttp may: the head at least. */
static bool
is_past_head(const struct http_connection *connection, enum guard_verdict verdict)
{
	return verdict == GUARD_COMPLETE || connection->guard.in_body;
}

/*
 * The first bytes of a request have come, and nothing else is in the input.  If they are one whole request
 * that the lane can answer, it is answered and gone; else the guard goes on with what it has not seen, or
 * with what follows the request.
 */
static void
begin_request(struct http_connection *connection)
{
	struct guard *guard = &connection->guard;
	struct evbuffer_iovec piece;
	size_t used = 0;

	connection_input_unsee(connection);
	connection_room_give(connection);
	text_fini(&connection->host);
	if (!is_one_piece(connection, &piece)) {
		connection_go(connection, CONNECTION_HEAD);
		feed_head(connection, 0);
		return;
	}
	guard->note = &connection->env->note;
	enum guard_verdict verdict = guard_feed(guard, piece.iov_base, piece.iov_len, &used);
	guard->note = NULL;
	bool is_all = used == piece.iov_len;
	if (verdict == GUARD_COMPLETE && is_all && answer_whole(connection, &piece))
		return;
	connection_go(connection, is_past_head(connection, verdict) ? CONNECTION_READING : CONNECTION_HEAD);
	if (take_verdict(connection, verdict, 0, &used))
		feed_head(connection, used);
}

/* Puts the bytes that were taken out before those that have come since. */
static void
give_back(struct http_connection *connection)
{
	connection->is_feeding = true;
	evbuffer_prepend_buffer(bufferevent_get_input(connection->bev), connection->ahead);
	connection->is_feeding = false;
	connection_input_forget_next(connection);
}

void
connection_input_forget_next(struct http_connection *connection)
{
	if (!connection->ahead)
		return;
	evbuffer_free(connection->ahead);
	connection->ahead = NULL;
	list_remove(&connection->next_link);
}

/* Once a request has begun, evhttp hears of it if it may.  Requests that wait from now on have the turn after this
 * one. */
static void
on_next(evutil_socket_t fd, short what, void *arg)
{
	struct connection_env *env = arg;
	struct list waiting;

	(void)fd;
	(void)what;
	list_init(&waiting);
	list_splice(&waiting, &env->next);
	while (!list_is_empty(&waiting)) {
		struct http_connection *connection =
			container_of(waiting.next, struct http_connection, next_link);
		give_back(connection);
		bufferevent_trigger(connection->bev, EV_READ, BEV_OPT_DEFER_CALLBACKS);
		begin_request(connection);
	}
}

/* evhttp begins to read its input by itself after a reply, which this keeps it from. */
void
connection_input_enter_next(struct http_connection *connection, enum connection_state from)
{
	struct connection_env *env = connection->env;
	static const struct timeval now = {0, 0};

	(void)from;
	connection->ahead = evbuffer_new();
	if (!connection->ahead)
		abort();
	connection->is_feeding = true;
	evbuffer_add_buffer(connection->ahead, bufferevent_get_input(connection->bev));
	connection->is_feeding = false;
	if (!env->next_event) {
		list_init(&env->next);
		env->next_event = evtimer_new(env->base, on_next, env);
	}
	if (!env->next_event || event_add(env->next_event, &now) < 0)
		abort();
	list_add_tail(&env->next, &connection->next_link);
}

static void
drop_lingering(struct http_connection *connection, struct evbuffer *input, size_t added)
{
	connection->lingered_bytes += added;
	evbuffer_drain(input, evbuffer_get_length(input));
	if (connection->lingered_bytes > connection->linger_bytes)
		connection_start_timer(connection, 0);
}

void
connection_input_on_bytes(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
	struct http_connection *connection = arg;
	size_t len = evbuffer_get_length(input);

	if (connection->is_feeding || info->n_added == 0)
		return;
	switch (connection->state) {
	case CONNECTION_NEW:
	case CONNECTION_IDLE:
		begin_request(connection);
		break;
	case CONNECTION_NEXT:
		give_back(connection);
		begin_request(connection);
		break;
	case CONNECTION_HEAD:
		feed_head(connection, len - info->n_added);
		break;
	case CONNECTION_READING:
		if (take_room(connection, info->n_added))
			feed(connection, len - info->n_added);
		break;
	case CONNECTION_JUDGING:
		if (take_room(connection, info->n_added) && connection->guard.in_body)
			feed(connection, len - info->n_added);
		break;
	case CONNECTION_REFUSED:
	case CONNECTION_LINGERING:
		drop_lingering(connection, input, info->n_added);
		break;
	case CONNECTION_COMPLETE:
		break;
	default:
		if (len > PIPELINE_BYTES)
			bufferevent_disable(connection->bev, EV_READ);
	}
}

void
connection_input_next(struct http_connection *connection)
{
	go_idle(connection, clock_mono_us());
	if (evbuffer_get_length(bufferevent_get_input(connection->bev)) > 0)
		connection_go(connection, CONNECTION_NEXT);
}
