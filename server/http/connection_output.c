/* What goes out on a connection, as its client takes it: replies of evhttp, and answers of the lane that the
 * socket did not take whole. */
#include "http/connection_parts.h"

#include "http/listener.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

/* Bytes that the client has still to take.  What the kernel has of them counts as well: it holds megabytes,
 * and takes more only once a good part of that has gone. */
static uint64_t
bytes_left(const struct http_connection *connection)
{
	int held = 0;

	if (ioctl(bufferevent_getfd(connection->bev), SIOCOUTQ, &held) < 0)
		held = 0;
	return evbuffer_get_length(bufferevent_get_output(connection->bev)) + (uint64_t)held;
}

uint64_t
connection_bytes_taken(const struct http_connection *connection)
{
	uint64_t left = bytes_left(connection);

	/* TLS makes them more on their way. */
	return left < connection->reply_bytes ? connection->reply_bytes - left : 0;
}

/* What is in the output buffer is written as the client takes it, within a deadline. */
static void
begin_flushing(struct http_connection *connection)
{
	connection->reply_bytes = bytes_left(connection);
	connection->progress_mark = 0;
	bufferevent_enable(connection->bev, EV_READ | EV_WRITE);
	connection_start_timer(connection, connection_header_timeout(connection));
}

void
connection_flush_reply(struct http_connection *connection)
{
	connection_stop_reading(connection);
	begin_flushing(connection);
}

/* evhttp gets the connection back, as it left it. */
static void
give_back(struct http_connection *connection)
{
	const struct http_listener *listener = connection->listener;

	bufferevent_setcb(connection->bev, listener->on_read, listener->on_write, listener->on_event,
		connection->evhttp);
	bufferevent_disable(connection->bev, EV_WRITE);
	bufferevent_enable(connection->bev, EV_READ);
}

/* The lane's answer is written: on to the next request, which may be there already. */
static void
end_answer(struct http_connection *connection)
{
	if (connection->closing) {
		connection_close(connection);
		return;
	}
	bool has_input = evbuffer_get_length(bufferevent_get_input(connection->bev)) > 0;
	if (connection->answering || has_input)
		give_back(connection);
	connection->answering = false;
	connection_next_request(connection);
	if (has_input)
		bufferevent_trigger(connection->bev, EV_READ, BEV_OPT_DEFER_CALLBACKS);
}

static void
on_answer_written(struct bufferevent *bev, void *arg)
{
	(void)bev;
	end_answer(arg);
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
	if (connection->answering)
		return;
	connection->answering = true;
	connection->state = CONNECTION_BUSY;
	bufferevent_setcb(connection->bev, NULL, on_answer_written, on_answer_event, connection);
	/* What a held request has left there follows it. */
	if (!connection->request)
		connection_drop_input(connection);
}

void
connection_flush_answer(struct http_connection *connection)
{
	begin_flushing(connection);
}

void
connection_end_in_lane(struct http_connection *connection)
{
	connection->request = NULL;
	if (evbuffer_get_length(bufferevent_get_output(connection->bev)) > 0)
		connection_flush_answer(connection);
	else
		end_answer(connection);
}
