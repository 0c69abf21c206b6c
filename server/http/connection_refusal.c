/*
 * The refusal that a connection ends with: see connection_parts.h.  evhttp's callbacks are replaced by ours,
 * the refusal is written, what still comes in is thrown away for a moment (so that no reset overtakes the
 * refusal), and the connection is closed.
 */
#include "http/connection_parts.h"

#include "common/http/problem.h"
#include "http/listener.h"
#include "http/reply.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <sys/socket.h>

/* How long, and how many bytes, are dropped after a refusal before the connection is closed.  Who sends a
 * body that could have been taken is given longer, and as many bytes as a body may have. */
#define LINGER_MS 2000
#define LINGER_BYTES (1024 * 1024)
#define LINGER_BODY_MS 10000

void
connection_begin_refusal(struct http_connection *connection)
{
	connection->refused = true;
	connection->linger_bytes = LINGER_BYTES;
	connection->state = CONNECTION_LINGERING;
	connection_start_timer(connection, 0);
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

void
connection_write_refusal(struct http_connection *connection)
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
	connection_start_timer(connection, is_judged ? LINGER_BODY_MS : LINGER_MS);
}

void
connection_refuse(struct http_connection *connection, const struct text *reply)
{
	uint64_t most = connection->guard.limits->max_body_bytes;

	text_add(&connection->refusal, reply->data, reply->len);
	connection_drop_input(connection);
	connection_begin_refusal(connection);
	if (most > LINGER_BYTES)
		connection->linger_bytes = most;
}
