/* Output of a connection: replies of evhttp, and answers of the lane that the socket did not take whole. */
#include "http/connection/output.h"

#include "common/blob.h"
#include "http/connection/input.h"
#include "http/connection/tls.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void
unref_blob(const void *data, size_t len, void *blob)
{
	(void)data;
	(void)len;
	blob_unref(blob);
}

bool
connection_output_is_empty(const struct http_connection *connection)
{
	return evbuffer_get_length(bufferevent_get_output(connection->bev)) == 0;
}

size_t
connection_output_write(struct http_connection *connection, const char *data, size_t len)
{
	if (!connection_output_is_empty(connection))
		return 0;
	if (connection->peer.is_tls)
		return tls_write(connection->bev, data, len);
	ssize_t sent = send(bufferevent_getfd(connection->bev), data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	return sent < 0 ? 0 : (size_t)sent; /* the bufferevent meets the same error */
}

void
connection_output_add(struct http_connection *connection, const char *data, size_t len)
{
	evbuffer_add(bufferevent_get_output(connection->bev), data, len);
}

int
connection_output_add_blob(struct http_connection *connection, struct blob *body)
{
	struct evbuffer *output = bufferevent_get_output(connection->bev);

	if (!blob_is_file(body)) {
		if (evbuffer_add_reference(
			    output, blob_data(body), (size_t)blob_len(body), unref_blob, blob_ref(body)) < 0)
			abort();
		return 0;
	}
	int fd = blob_open(body);
	if (fd < 0)
		return fd;
	if (evbuffer_add_file(output, fd, 0, (ev_off_t)blob_len(body)) < 0) {
		close(fd);
		return -EIO;
	}
	return 0;
}

/* Bytes that the client has still to take.  Those in the kernel count as well: it holds megabytes, and takes
 * more only once a good part of them has gone. */
static uint64_t
bytes_left(const struct http_connection *connection)
{
	int held = 0;

	if (ioctl(bufferevent_getfd(connection->bev), SIOCOUTQ, &held) < 0)
		held = 0;
	return evbuffer_get_length(bufferevent_get_output(connection->bev)) + (uint64_t)held;
}

void
connection_output_on_deadline(struct http_connection *connection)
{
	uint64_t left = bytes_left(connection);
	/* TLS makes them more on their way. */
	uint64_t taken = left < connection->reply_bytes ? connection->reply_bytes - left : 0;

	if (!connection_makes_progress(connection, taken))
		connection_close(connection);
}

static void
begin_flushing(struct http_connection *connection)
{
	connection->reply_bytes = bytes_left(connection);
	connection->progress_mark = 0;
	bufferevent_enable(connection->bev, EV_READ | EV_WRITE);
	connection_start_timer(connection, connection->env->header_timeout_ms);
}

void
connection_output_enter_flushing(struct http_connection *connection, enum connection_state from)
{
	(void)from;
	begin_flushing(connection);
}

void
connection_output_flush(struct http_connection *connection)
{
	if (!connection_output_is_empty(connection))
		begin_flushing(connection);
}

void
connection_output_hold(struct http_connection *connection)
{
	if (connection->state == CONNECTION_ANSWERING)
		return;
	connection_go(connection, CONNECTION_ANSWERING);
	/* Behind a request that was held, the input is that of the next one. */
	if (!connection->request)
		connection_input_drop(connection);
}

/* The answer is written: on to the next request, which may be there already. */
static void
end_answer(struct http_connection *connection)
{
	bool has_waited = connection->state == CONNECTION_ANSWERING;

	if (connection->is_closing) {
		connection_close(connection);
		return;
	}
	connection_input_next(connection);
	if (has_waited || connection->state == CONNECTION_NEXT) {
		bufferevent_disable(connection->bev, EV_WRITE);
		bufferevent_enable(connection->bev, EV_READ);
	}
}

void
connection_output_end(struct http_connection *connection)
{
	connection->request = NULL;
	if (connection_output_is_empty(connection))
		end_answer(connection);
	else
		begin_flushing(connection);
}

void
connection_output_on_written(struct bufferevent *bev, void *arg)
{
	(void)bev;
	end_answer(arg);
}

/* evhttp ends the connection, as it would between two requests. */
void
connection_output_on_event(struct bufferevent *bev, short what, void *arg)
{
	struct http_connection *connection = arg;

	connection->env->evhttp_on_event(bev, what, connection->evhttp);
}
