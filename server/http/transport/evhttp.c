/*
 * The transport of requests that evhttp has read whole.
 *
 * evhttp would build a reply header by header and need several system calls for it.  Here a reply goes past
 * evhttp to the socket; evhttp only hears that the request has ended.
 */
#include "http/transport/evhttp.h"

#include "common/clock.h"
#include "http/connection/input.h"
#include "http/connection/output.h"
#include "http/connection/room.h"
#include "http/message/transport.h"
#include "http/transport/dispatch.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

/* A request and evhttp's side of it. */
struct exchange {
	struct http_request request;
	struct evhttp_request *evhttp; /* NULL: evhttp has freed it, or is about to */
};

static struct evhttp_request *
evhttp_of(const struct http_request *request)
{
	return container_of(request, struct exchange, request)->evhttp;
}

static const char *
get_field(const struct http_request *request, const char *name)
{
	struct evhttp_request *evhttp = evhttp_of(request);

	return evhttp ? evhttp_find_header(evhttp_request_get_input_headers(evhttp), name) : NULL;
}

static void
each_field(const struct http_request *request, http_each_fn fn, void *arg)
{
	struct evhttp_request *evhttp = evhttp_of(request);
	struct evkeyval *header;

	if (!evhttp)
		return;
	TAILQ_FOREACH(header, evhttp_request_get_input_headers(evhttp), next)
		fn(header->key, header->value, arg);
}

static size_t
body_len(const struct http_request *request)
{
	struct evhttp_request *evhttp = evhttp_of(request);

	return evhttp ? evbuffer_get_length(evhttp_request_get_input_buffer(evhttp)) : 0;
}

static uint64_t
announced_len(const struct http_request *request)
{
	return body_len(request);
}

static int
take_body(struct http_request *request, int spool_fd, struct blob **ret_body)
{
	struct blob_sink sink;
	struct evbuffer_iovec piece;
	int rc = 0;

	if (body_len(request) == 0) {
		*ret_body = NULL;
		return 0;
	}
	struct evbuffer *input = evhttp_request_get_input_buffer(evhttp_of(request));
	if (request->peer)
		connection_room_give(connection_of(request));
	blob_sink_init(&sink, spool_fd, UINT64_MAX);
	while (rc == 0 && evbuffer_peek(input, -1, NULL, &piece, 1) > 0) {
		rc = blob_sink_write(&sink, piece.iov_base, piece.iov_len);
		evbuffer_drain(input, piece.iov_len);
	}
	if (rc == 0)
		rc = blob_sink_finish(&sink, ret_body);
	if (rc < 0)
		blob_sink_fini(&sink);
	return rc;
}

static void
call_handler(struct http_request *request)
{
	struct http_target *target = request->match.target;

	target->handler(request, target->arg);
}

static bool
is_old(const struct evhttp_request *evhttp)
{
	return evhttp->major == 1 && evhttp->minor == 0;
}

/* Whether the client wants the connection closed after this request (RFC 9112, 9.3). */
static bool
client_closes(const struct http_request *request)
{
	const char *asked = http_request_field(request, "Connection");

	if (is_old(evhttp_of(request)))
		return !asked || strcasecmp(asked, "keep-alive") != 0;
	return http_request_asks_close(request);
}

/* evhttp closes the connection by what it finds among the header fields of its own reply. */
static const char *
persistence(struct http_request *request)
{
	struct evhttp_request *evhttp = evhttp_of(request);

	if (client_closes(request) || connection_of(request)->is_closing) {
		evhttp_add_header(evhttp_request_get_output_headers(evhttp), "Connection", "close");
		return "close";
	}
	return is_old(evhttp) ? "keep-alive" : NULL;
}

static void
write_piece(struct http_request *request, const struct text *piece)
{
	struct http_connection *connection = connection_of(request);
	size_t sent = connection_output_write(connection, piece->data, piece->len);

	if (sent < piece->len)
		connection_output_add(connection, piece->data + sent, piece->len - sent);
}

static int
write_blob(struct http_request *request, struct blob *body)
{
	return connection_output_add_blob(connection_of(request), body);
}

static void
cut_short(struct http_request *request)
{
	connection_close(connection_of(request));
}

static void
end(struct http_request *request)
{
	struct http_connection *connection = connection_of(request);
	struct evhttp_request *evhttp = evhttp_of(request);
	struct dispatch *dispatch = dispatch_of(request);

	request->shared->request_count--;
	if (dispatch->running == request)
		dispatch->running = NULL;
	http_request_fini(request);
	free(container_of(request, struct exchange, request));
	if (!connection) {
		if (evhttp)
			evhttp_request_free(evhttp);
		return;
	}
	connection->request = NULL;
	connection_room_give(connection);
	evhttp->chunked = 0; /* else evhttp would end our reply with a last chunk */
	if (!connection_output_is_empty(connection))
		connection_go(connection, CONNECTION_FLUSHING);
	evhttp_send_reply_end(evhttp);
}

/* evhttp frees a request that is still tied to its connection together with that. */
static void
on_left(struct http_request *request)
{
	struct exchange *exchange = container_of(request, struct exchange, request);

	if (exchange->evhttp && evhttp_request_get_connection(exchange->evhttp))
		exchange->evhttp = NULL;
}

static const struct http_transport evhttp_transport = {
	.field = get_field,
	.each_field = each_field,
	.body_len = body_len,
	.announced_len = announced_len,
	.take_body = take_body,
	.admitted = call_handler,
	.persistence = persistence,
	.write = write_piece,
	.write_blob = write_blob,
	.cut_short = cut_short,
	.end = end,
	.left = on_left,
};

/* evhttp's methods are bits as ours are, but other ones. */
static enum http_method
method_of(struct evhttp_request *evhttp)
{
	static const struct {
		enum evhttp_cmd_type theirs;
		enum http_method ours;
	} methods[] = {{EVHTTP_REQ_GET, HTTP_GET}, {EVHTTP_REQ_HEAD, HTTP_HEAD}, {EVHTTP_REQ_POST, HTTP_POST},
		{EVHTTP_REQ_PUT, HTTP_PUT}, {EVHTTP_REQ_PATCH, HTTP_PATCH}, {EVHTTP_REQ_DELETE, HTTP_DELETE},
		{EVHTTP_REQ_OPTIONS, HTTP_OPTIONS}};

	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (methods[i].theirs == evhttp_request_get_command(evhttp))
			return methods[i].ours;
	return 0;
}

static void
on_reply_complete(struct evhttp_request *evhttp, void *connection)
{
	(void)evhttp;
	connection_input_next(connection);
}

/* The host of an absolute target counts, whatever the Host field says (RFC 9112, 3.2.2). */
static void
put_host(struct evhttp_request *evhttp, const struct http_connection *connection)
{
	struct evkeyvalq *fields = evhttp_request_get_input_headers(evhttp);

	if (connection->host.len == 0)
		return;
	evhttp_remove_header(fields, "Host");
	if (evhttp_add_header(fields, "Host", connection->host.data) < 0)
		abort();
}

static struct http_request *
make_request(struct evhttp_request *evhttp, struct http_connection *connection)
{
	struct exchange *exchange = xcalloc(1, sizeof *exchange);
	struct http_request *request = &exchange->request;
	const char *target = evhttp_request_get_uri(evhttp);

	exchange->evhttp = evhttp;
	put_host(evhttp, connection);
	dispatch_init_request(request, connection, &evhttp_transport, method_of(evhttp));
	request->is_http_1_0 = is_old(evhttp);
	request->began_us = clock_mono_us();
	http_request_set_target(request, target, strlen(target));
	http_request_set_id(request);
	return request;
}

void
http_evhttp_begin(struct evhttp_request *evhttp, void *arg)
{
	struct dispatch *dispatch = arg;
	struct http_connection *connection =
		connection_find(&dispatch->connections, evhttp_request_get_connection(evhttp));
	struct http_request *request = make_request(evhttp, connection);

	dispatch->shared.request_count++;
	connection_begin_request(connection, request);
	evhttp_request_set_on_complete_cb(evhttp, on_reply_complete, connection);
	dispatch->running = request;
	dispatch_begin(request);
	if (dispatch->running == request)
		connection_watch_request(connection);
	dispatch->running = NULL;
}
