/*
 * A connection: see connection.h.
 *
 * evhttp reads from the input buffer of a bufferevent.  A callback on that buffer runs between the socket's read and evhttp's parser: there the
 * guard sees every byte first.  What it passes stays where it is; what it drops is cut out; and when it refuses, the rest is cut off and
 * the connection is taken out of evhttp's hands: its callbacks are replaced by ours, the refusal is written, what still comes in is
 * thrown away for a moment (so that no reset overtakes the refusal), and it is closed.
 *
 * While a request is with its handler evhttp must not be told of input (it would end the process), so the read callback is taken away;
 * reading goes on, because the end of the stream is how a client's leaving is noticed.  Bytes of a next request wait in
 * the input, not yet guarded and bounded, until the reply is out.
 */
#include "http/connection.h"

#include "common/clock.h"
#include "common/problem.h"
#include "http/early.h"
#include "http/lane.h"
#include "http/listener.h"
#include "http/reply.h"
#include "http/tls.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Bytes of next requests that wait while one is answered; beyond it reading pauses. */
#define PIPELINE_BYTES (16 * 1024)

/* How long, and how many bytes, are dropped after a refusal before the connection is closed.  Who sends a body that could have been taken is
 * given longer, and as many bytes as a body may have. */
#define LINGER_MS 2000
#define LINGER_BYTES (1024 * 1024)
#define LINGER_BODY_MS 10000

/* A body must come at least at this rate, and a reply go out, over any interval of its deadline. */
#define LEAST_BYTES_PER_SECOND 512

static void
release(struct http_connection *connection)
{
	timer_stop(&connection->timer);
	list_remove(&connection->link);
	http_listener_forget(connection->listener, connection);
	free(connection->client_name);
	text_fini(&connection->refusal);
	free(connection);
}

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

static void
refuse(struct http_connection *connection)
{
	connection->refused = true;
	connection->linger_bytes = LINGER_BYTES;
	connection->state = CONNECTION_LINGERING;
	timer_start(connection->listener->server->timers, &connection->timer, 0);
}

/* Does with the *used bytes of the input at an offset as the guard says.  Whether it is to be fed the rest; then *used is how many of them
 * are still there. */
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
		refuse(connection);
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

static int64_t
header_timeout(const struct http_connection *connection)
{
	return connection->listener->server->config.header_timeout_ms;
}

static void
start_timer(struct http_connection *connection, int64_t after_ms)
{
	timer_start(connection->listener->server->timers, &connection->timer, after_ms);
}

static void
begin_reading(struct http_connection *connection)
{
	connection->state = CONNECTION_READING;
	connection->progress_mark = 0;
	start_timer(connection, header_timeout(connection));
}

/* The timer is left as it is where it runs for the same end already, and started anew for what is left when it runs out. */
static void
start_idling(struct http_connection *connection, int64_t since_us)
{
	bool idled = connection->state == CONNECTION_IDLE;

	connection->state = CONNECTION_IDLE;
	connection->idle_since_us = since_us;
	if (!idled)
		start_timer(connection, connection->listener->server->config.idle_timeout_ms);
}

/* Whether there is no time left; else the timer is started for what there is. */
static bool
has_idled(struct http_connection *connection)
{
	int64_t idle_ms = (clock_mono_us() - connection->idle_since_us) / 1000;
	int64_t left_ms = connection->listener->server->config.idle_timeout_ms - idle_ms;

	if (left_ms > 0)
		start_timer(connection, left_ms);
	return left_ms <= 0;
}

/* The answered request is all that is there. */
static void
drain_input(struct http_connection *connection)
{
	struct evbuffer *input = bufferevent_get_input(connection->bev);

	connection->feeding = true;
	evbuffer_drain(input, evbuffer_get_length(input));
	connection->feeding = false;
}

/*
 * The first bytes of a request have come, and nothing else is in the input.  If they are one whole request that the lane can answer, it is
 * answered and gone; else the guard goes on with what it has not seen, or with what follows the request.
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
		drain_input(connection);
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

static void
on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
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
			start_timer(connection, 0);
		return;
	case CONNECTION_BUSY:
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

static void
on_lingering_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	(void)what;
	connection_close(arg);
}

static void
on_refusal_written(struct bufferevent *bev, void *arg)
{
	struct http_connection *connection = arg;

	if (!connection->is_tls)
		shutdown(bufferevent_getfd(bev), SHUT_WR);
}

/* Takes the connection out of evhttp's hands and writes what the guard found. */
static void
write_refusal(struct http_connection *connection)
{
	struct bufferevent *bev = connection->bev;
	struct problem_report report = {
		.problem = connection->guard.problem, .detail = connection->guard.reason};
	struct text reply = connection->refusal;
	bool is_judged = reply.len > 0;

	connection->refused = false;
	connection->refusal = (struct text){0};
	if (!is_judged)
		reply_format_refusal(connection->listener->server, &report, &reply);
	bufferevent_setcb(bev, NULL, on_refusal_written, on_lingering_event, connection);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
	evbuffer_add(bufferevent_get_output(bev), reply.data, reply.len);
	text_fini(&reply);
	start_timer(connection, is_judged ? LINGER_BODY_MS : LINGER_MS);
}

void
connection_refuse(struct http_connection *connection, const struct text *reply)
{
	uint64_t most = connection->guard.limits->max_body_bytes;

	text_add(&connection->refusal, reply->data, reply->len);
	drain_input(connection);
	refuse(connection);
	if (most > LINGER_BYTES)
		connection->linger_bytes = most;
}

/* Whether at least the least rate has been kept over the last interval; then the next one begins. */
static bool
makes_progress(struct http_connection *connection, uint64_t bytes)
{
	int64_t interval_ms = header_timeout(connection);
	uint64_t least = (uint64_t)interval_ms * LEAST_BYTES_PER_SECOND / 1000;

	if (bytes - connection->progress_mark < least)
		return false;
	connection->progress_mark = bytes;
	start_timer(connection, interval_ms);
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

static uint64_t
bytes_written(const struct http_connection *connection)
{
	return connection->reply_bytes - evbuffer_get_length(bufferevent_get_output(connection->bev));
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
		refuse(connection);
		write_refusal(connection);
		return;
	case CONNECTION_BUSY:
		if (makes_progress(connection, bytes_written(connection)))
			return;
		break;
	case CONNECTION_LINGERING:
		if (connection->refused) {
			write_refusal(connection);
			return;
		}
		break;
	case CONNECTION_IDLE:
		if (!has_idled(connection))
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
	evbuffer_remove_cb(bufferevent_get_input(connection->bev), on_input, connection);
	if (connection->is_tls)
		tls_say_goodbye(connection->bev);
	forget_early(connection);
	if (request) {
		request->connection = NULL;
		/* A request still tied to its connection is freed together with it. */
		if (evhttp_request_get_connection(request->evhttp))
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
		evbuffer_add_cb(bufferevent_get_input(bev), on_input, connection);
		/* evhttp need not be told of input that the lane has taken. */
		bufferevent_setwatermark(bev, EV_READ, 1, 0);
		evhttp_connection_get_peer(connection->evhttp, &address, &port);
		if (address && !connection->listener->is_unix)
			strncpy(connection->remote_address, address, sizeof connection->remote_address - 1);
		start_timer(connection, header_timeout(connection));
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
static void
stop_reading_requests(struct http_connection *connection)
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
	stop_reading_requests(connection);
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

void
connection_hold_request(struct http_connection *connection)
{
	stop_reading_requests(connection);
	bufferevent_enable(connection->bev, EV_READ);
}

/* What is in the output buffer is written as the client takes it, within a deadline. */
static void
begin_flushing(struct http_connection *connection)
{
	connection->reply_bytes = evbuffer_get_length(bufferevent_get_output(connection->bev));
	connection->progress_mark = 0;
	bufferevent_enable(connection->bev, EV_READ | EV_WRITE);
	start_timer(connection, header_timeout(connection));
}

void
connection_flush_reply(struct http_connection *connection)
{
	stop_reading_requests(connection);
	begin_flushing(connection);
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

/* The rest of the lane's answer is written: evhttp gets the connection back, as it left it. */
static void
on_answer_written(struct bufferevent *bev, void *arg)
{
	struct http_connection *connection = arg;
	const struct http_listener *listener = connection->listener;

	if (connection->closing) {
		connection_close(connection);
		return;
	}
	bufferevent_setcb(bev, listener->on_read, listener->on_write, listener->on_event, connection->evhttp);
	bufferevent_disable(bev, EV_WRITE);
	bufferevent_enable(bev, EV_READ);
	connection_next_request(connection);
	if (evbuffer_get_length(bufferevent_get_input(bev)) > 0)
		bufferevent_trigger(bev, EV_READ, BEV_OPT_DEFER_CALLBACKS);
}

/* evhttp ends the connection, as it would between two requests. */
static void
on_answer_event(struct bufferevent *bev, short what, void *arg)
{
	struct http_connection *connection = arg;

	connection->listener->on_event(bev, what, connection->evhttp);
}

void
connection_hold_answer(struct http_connection *connection)
{
	if (connection->state == CONNECTION_BUSY)
		return;
	connection->state = CONNECTION_BUSY;
	bufferevent_setcb(connection->bev, NULL, on_answer_written, on_answer_event, connection);
	drain_input(connection);
}

void
connection_flush_answer(struct http_connection *connection)
{
	begin_flushing(connection);
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
