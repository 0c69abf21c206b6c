/*
 * Replies: see reply.h.
 *
 * evhttp builds a reply header by header and needs several system calls for it.  Here the whole reply is
 * built in one piece, sent at once where the socket takes it, and evhttp is only told that the request has
 * ended; what the socket does not take goes through its output buffer as usual.  Large bodies are referenced,
 * not copied, and those in files are sent from there.
 */
#include "http/reply.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "http/connection.h"
#include "http/early.h"
#include "http/lane.h"
#include "http/listener.h"
#include "http/tls.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Bodies up to this go out in one piece with the header. */
#define SMALL_BODY_BYTES (16 * 1024)

/* Memory for heads that is kept from one reply to the next. */
#define KEPT_HEAD_BYTES (64 * 1024)

static const struct {
	int status;
	const char *reason;
} reasons[] = {{100, "Continue"}, {101, "Switching Protocols"}, {200, "OK"}, {201, "Created"},
	{202, "Accepted"}, {203, "Non-Authoritative Information"}, {204, "No Content"},
	{205, "Reset Content"}, {206, "Partial Content"}, {207, "Multi-Status"}, {300, "Multiple Choices"},
	{301, "Moved Permanently"}, {302, "Found"}, {303, "See Other"}, {304, "Not Modified"},
	{307, "Temporary Redirect"}, {308, "Permanent Redirect"}, {400, "Bad Request"}, {401, "Unauthorized"},
	{402, "Payment Required"}, {403, "Forbidden"}, {404, "Not Found"}, {405, "Method Not Allowed"},
	{406, "Not Acceptable"}, {407, "Proxy Authentication Required"}, {408, "Request Timeout"},
	{409, "Conflict"}, {410, "Gone"}, {411, "Length Required"}, {412, "Precondition Failed"},
	{413, "Content Too Large"}, {414, "URI Too Long"}, {415, "Unsupported Media Type"},
	{416, "Range Not Satisfiable"}, {417, "Expectation Failed"}, {421, "Misdirected Request"},
	{422, "Unprocessable Content"}, {423, "Locked"}, {424, "Failed Dependency"}, {425, "Too Early"},
	{426, "Upgrade Required"}, {428, "Precondition Required"}, {429, "Too Many Requests"},
	{431, "Request Header Fields Too Large"}, {451, "Unavailable For Legal Reasons"},
	{500, "Internal Server Error"}, {501, "Not Implemented"}, {502, "Bad Gateway"},
	{503, "Service Unavailable"}, {504, "Gateway Timeout"}, {505, "HTTP Version Not Supported"},
	{508, "Loop Detected"}, {507, "Insufficient Storage"}};

const char *
reply_reason(int status)
{
	static const char *const classes[] = {
		"Informational", "Successful", "Redirection", "Client Error", "Server Error"};

	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return status >= 100 && status < 600 ? classes[status / 100 - 1] : "Unknown";
}

static const char *
date(struct http_server *server)
{
	int64_t now_ms = clock_wall_about_ms();

	if (now_ms / 1000 != server->date_s) {
		server->date_s = now_ms / 1000;
		clock_format_http(now_ms, server->date);
	}
	return server->date;
}

static void
add_status_line(struct text *head, struct http_server *server, int status)
{
	text_add_string(head, "HTTP/1.1 ");
	text_add_uint(head, (uint64_t)status);
	text_add_char(head, ' ');
	text_add_string(head, reply_reason(status));
	text_add_string(head, "\r\nDate: ");
	text_add_string(head, date(server));
	text_add_string(head, "\r\n");
}

/* Whether a reply of that status has a body at all (RFC 9110, 6.4.1). */
static bool
has_body(int status)
{
	return status >= 200 && status != 204 && status != 304;
}

/* Bytes that go behind the header, wherever they come from. */
struct body {
	const char *data; /* NULL: those of blob, which may be a file */
	struct blob *blob;
	uint64_t len;
};

/* Whether the length of a body is known, too: of what HEAD asked for it is not where there is none. */
static bool
tells_length(const struct http_request *request, int status, const struct body *body)
{
	return has_body(status) && (request->method != HTTP_HEAD || body->data || body->blob);
}

/* Says in both directions whether the connection goes on, to the client and to evhttp. */
static void
add_connection(struct text *head, const struct http_request *request)
{
	struct evhttp_request *evhttp = request->evhttp;

	if (request->is_early) {
		text_add_string(head, "Connection: close\r\n");
		return;
	}
	if (request->lane) {
		/* Else kept open, as HTTP/1.1 has it without a word. */
		if (request->connection->closing)
			text_add_string(head, "Connection: close\r\n");
		return;
	}
	if (http_request_closes(request) || request->connection->closing || request->server->draining) {
		text_add_string(head, "Connection: close\r\n");
		evhttp_add_header(evhttp_request_get_output_headers(evhttp), "Connection", "close");
	} else if (evhttp->major == 1 && evhttp->minor == 0) {
		text_add_string(head, "Connection: keep-alive\r\n");
	}
}

static void
unref_blob(const void *data, size_t len, void *blob)
{
	(void)data;
	(void)len;
	blob_unref(blob);
}

/* Adds a body that is not copied.  -errno if its file cannot be read. */
static int
add_large_body(struct evbuffer *output, struct blob *body)
{
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

/* Writes a reply in one piece: at once as far as the socket takes it, the rest through the output buffer. */
static void
write_piece(struct http_connection *connection, const struct text *piece, bool by_lane)
{
	struct evbuffer *output = bufferevent_get_output(connection->bev);
	ssize_t sent = 0;

	if (connection->is_tls && evbuffer_get_length(output) == 0) {
		sent = (ssize_t)tls_write(connection->bev, piece->data, piece->len);
	} else if (evbuffer_get_length(output) == 0) {
		sent = send(bufferevent_getfd(connection->bev), piece->data, piece->len,
			MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0)
			sent = 0; /* the bufferevent meets the same error */
	}
	if ((size_t)sent == piece->len)
		return;
	if (by_lane)
		connection_hold_answer(connection);
	evbuffer_add(output, piece->data + sent, piece->len - (size_t)sent);
}

/* Lets go of a request of the lane. */
static void
finish_answer(struct http_request *request)
{
	if (request->is_held) {
		lane_end(request);
		return;
	}
	fields_fini(&request->extra);
	if (evbuffer_get_length(bufferevent_get_output(request->connection->bev)) > 0)
		connection_flush_answer(request->connection);
}

/* Lets go of the request and tells evhttp that it has ended. */
static void
finish(struct http_request *request)
{
	struct http_connection *connection = request->connection;
	struct evhttp_request *evhttp = request->evhttp;
	struct http_server *server = request->server;

	if (request->is_early) {
		early_free(request);
		return;
	}
	if (request->lane) {
		finish_answer(request);
		return;
	}
	server->request_count--;
	if (server->dispatching == request)
		server->dispatching = NULL;
	fields_fini(&request->extra);
	free(request->principal_memory);
	free(request);
	if (!connection) {
		if (evhttp)
			evhttp_request_free(evhttp);
		return;
	}
	connection->request = NULL;
	evhttp->chunked = 0; /* else evhttp would end our reply with a last chunk */
	if (evbuffer_get_length(bufferevent_get_output(connection->bev)) > 0)
		connection_flush_reply(connection);
	evhttp_send_reply_end(evhttp);
}

/* The result of a HEAD may have a Content-Length of its own, which only the reply to a HEAD may repeat. */
static void
add_fields(struct text *head, const struct http_request *request, const struct fields *fields, bool tells)
{
	static const struct field_name content_length = FIELD_NAME("Content-Length");
	const char *from = fields->wire;

	if (!tells && request->method == HTTP_HEAD) {
		text_add(head, fields->wire, fields->len);
		return;
	}
	fields_for_each(field, fields) {
		if (!field_is_one_of(&field, &content_length, 1))
			continue;
		text_add(head, from, (size_t)(field.name - from));
		from = field.value + field.value_len + 2;
	}
	if (from)
		text_add(head, from, (size_t)(fields->wire + fields->len - from));
}

/* The head, with the length of the body if it is to be told. */
static void
add_head(struct text *head, const struct http_request *request, int status, const struct fields *fields,
	const uint64_t *len)
{
	add_status_line(head, request->server, status);
	if (fields)
		add_fields(head, request, fields, len != NULL);
	if (request->is_not_stored)
		text_add_string(head, "Cache-Control: no-store\r\n");
	text_add(head, request->extra.wire, request->extra.len);
	if (request->tells_id) {
		text_add_string(head, "X-Request-Id: ");
		text_add_string(head, request->id);
		text_add_string(head, "\r\n");
	}
	if (len) {
		text_add_string(head, "Content-Length: ");
		text_add_uint(head, *len);
		text_add_string(head, "\r\n");
	}
	add_connection(head, request);
	text_add_string(head, "\r\n");
}

/* Whether the body could be read whole. */
static bool
add_small_body(struct text *piece, const struct body *body)
{
	if (body->data) {
		text_add(piece, body->data, (size_t)body->len);
		return true;
	}
	ssize_t n = blob_read(body->blob, 0, text_reserve(piece, (size_t)body->len), (size_t)body->len);
	piece->len += n > 0 ? (size_t)n : 0;
	return n == (ssize_t)body->len;
}

static void
send_reply(struct http_request *request, int status, const struct fields *fields, const struct body *body)
{
	struct http_connection *connection = request->connection;
	uint64_t len = has_body(status) ? body->len : 0;
	bool sends = len > 0 && request->method != HTTP_HEAD;
	bool small = body->data || len <= SMALL_BODY_BYTES;

	if (request->server->config.on_reply)
		request->server->config.on_reply(
			request->server->config.arg, request, status, sends ? len : 0);
	if (!connection) {
		finish(request);
		return;
	}
	struct text *piece = &request->server->head;
	text_clear(piece);
	add_head(piece, request, status, fields, tells_length(request, status, body) ? &len : NULL);
	if (sends && small)
		sends = add_small_body(piece, body);
	if (request->is_early)
		connection_refuse(connection, piece);
	else
		write_piece(connection, piece, request->lane != NULL);
	if (piece->size > KEPT_HEAD_BYTES)
		text_fini(piece);
	if (sends && !small && request->lane)
		connection_hold_answer(connection);
	if (len > 0 && request->method != HTTP_HEAD &&
		(!sends || (!small && add_large_body(bufferevent_get_output(connection->bev), body->blob) <
					      0))) {
		/* The length has been promised: the client must see that the reply is cut short. */
		log_error("result cannot be read", "status=%d bytes=%llu", status, (unsigned long long)len);
		assert(!request->lane || request->is_held);
		request->on_gone = NULL;
		connection_close(connection);
	}
	finish(request);
}

void
reply_blob(struct http_request *request, int status, const struct fields *fields, struct blob *body)
{
	struct body what = {.blob = body, .len = blob_len(body)};

	if (body && !blob_is_file(body) && what.len <= SMALL_BODY_BYTES)
		what.data = blob_data(body);
	send_reply(request, status, fields, &what);
}

void
reply_bytes(
	struct http_request *request, int status, const struct fields *fields, const char *data, size_t len)
{
	struct body what = {.data = data ? data : "", .len = len};

	send_reply(request, status, fields, &what);
}

void
reply_json(struct http_request *request, int status, const struct fields *fields, const struct text *json)
{
	fields_put(&request->extra, "Content-Type", "application/json");
	reply_bytes(request, status, fields, json->data, json->len);
}

void
reply_problem(struct http_request *request, const struct problem_report *report, const struct fields *fields)
{
	CLEANUP(text_fini) struct text json = {0};

	problem_format(report, &json);
	request->tells_id = true;
	fields_put(&request->extra, "Content-Type", PROBLEM_CONTENT_TYPE);
	request->is_not_stored = true;
	reply_bytes(request, report->status ? report->status : problem_status(report->problem), fields,
		json.data, json.len);
}

void
reply_problemf(struct http_request *request, enum problem problem, const char *format, ...)
{
	CLEANUP(text_fini) struct text detail = {0};
	va_list args;

	va_start(args, format);
	text_addv(&detail, format, args);
	va_end(args);
	struct problem_report report = {.problem = problem, .detail = detail.data};
	reply_problem(request, &report, NULL);
}

void
reply_format_refusal(struct http_server *server, const struct problem_report *report, struct text *ret_reply)
{
	CLEANUP(text_fini) struct text json = {0};

	problem_format(report, &json);
	add_status_line(ret_reply, server, problem_status(report->problem));
	text_addf(ret_reply,
		"Content-Type: " PROBLEM_CONTENT_TYPE "\r\nCache-Control: no-store\r\nContent-Length: %zu\r\n"
		"Connection: close\r\n\r\n%s",
		json.len, json.data);
	if (server->config.on_reply)
		server->config.on_reply(server->config.arg, NULL, problem_status(report->problem), json.len);
}
