/*
 * The fast lane: the transport of requests that are answered where their bytes have come in.
 *
 * The request's head is copied so that its parts can be ended by NULs: onto the stack, and, for a handler that
 * may reply later, once more into memory of its own, which is kept from one such request to the next.
 */
#include "http/transport/lane.h"

#include "common/clock.h"
#include "http/connection/input.h"
#include "http/connection/output.h"
#include "http/message/piece.h"
#include "http/message/transport.h"
#include "http/transport/dispatch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Longer heads are evhttp's. */
#define HEAD_BYTES 2048

/* Requests that have ended whose memory is kept. */
#define SPARES_MAX 64u

/* A request and what it lends. */
struct lane {
	struct list link; /* in the dispatch's spares */
	struct http_request request;
	bool is_held; /* it is with a handler that may reply later, in memory of its own */
	struct piece piece;
	char text[HEAD_BYTES];
};

/* Memory for a request, with the bytes that the last one has left there. */
static struct lane *
take(struct dispatch *dispatch)
{
	if (list_is_empty(&dispatch->lane_spares))
		return xcalloc(1, sizeof(struct lane));
	struct lane *lane = container_of(dispatch->lane_spares.next, struct lane, link);
	list_remove(&lane->link);
	dispatch->lane_spare_count--;
	return lane;
}

static void
give(struct dispatch *dispatch, struct lane *lane)
{
	if (dispatch->lane_spare_count == SPARES_MAX) {
		free(lane);
		return;
	}
	list_add_head(&dispatch->lane_spares, &lane->link);
	dispatch->lane_spare_count++;
}

void
lane_init(struct dispatch *dispatch)
{
	list_init(&dispatch->lane_spares);
}

void
lane_fini(struct dispatch *dispatch)
{
	list_for_each_safe(node, &dispatch->lane_spares) {
		struct lane *lane = container_of(node, struct lane, link);
		list_remove(&lane->link);
		free(lane);
	}
	dispatch->lane_spare_count = 0;
}

static struct lane *
lane_of(const struct http_request *request)
{
	return container_of(request, struct lane, request);
}

static const char *
get_field(const struct http_request *request, const char *name)
{
	return piece_find(&lane_of(request)->piece, name);
}

static void
each_field(const struct http_request *request, http_each_fn fn, void *arg)
{
	piece_each(&lane_of(request)->piece, fn, arg);
}

static size_t
body_len(const struct http_request *request)
{
	(void)request;
	return 0;
}

static uint64_t
announced_len(const struct http_request *request)
{
	(void)request;
	return 0;
}

static int
take_body(struct http_request *request, int spool_fd, struct blob **ret_body)
{
	(void)request;
	(void)spool_fd;
	*ret_body = NULL;
	return 0;
}

static void
call_handler(struct http_request *request)
{
	struct http_target *target = request->match.target;

	target->handler(request, target->arg);
}

/* Else the connection is kept open, which HTTP/1.1 does by default. */
static const char *
persistence(struct http_request *request)
{
	return connection_of(request)->is_closing ? "close" : NULL;
}

static void
write_piece(struct http_request *request, const struct text *piece)
{
	struct http_connection *connection = connection_of(request);
	size_t sent = connection_output_write(connection, piece->data, piece->len);

	if (sent == piece->len)
		return;
	connection_output_hold(connection);
	connection_output_add(connection, piece->data + sent, piece->len - sent);
}

static int
write_blob(struct http_request *request, struct blob *body)
{
	connection_output_hold(connection_of(request));
	return connection_output_add_blob(connection_of(request), body);
}

/* A request on the stack is answered from memory, and memory can always be read. */
static void
cut_short(struct http_request *request)
{
	assert(lane_of(request)->is_held);
	connection_close(connection_of(request));
}

static void
end_held(struct http_request *request)
{
	struct http_connection *connection = connection_of(request);

	request->shared->request_count--;
	http_request_fini(request);
	give(dispatch_of(request), lane_of(request));
	if (connection)
		connection_output_end(connection);
}

static void
end(struct http_request *request)
{
	if (lane_of(request)->is_held) {
		end_held(request);
		return;
	}
	http_request_fini(request);
	connection_output_flush(connection_of(request));
}

static const struct http_transport lane_transport = {
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
};

bool
lane_has(const struct http_request *request)
{
	return request->transport == &lane_transport;
}

static bool
begins_with(const char *data, size_t len, const char *word, size_t word_len)
{
	return len >= word_len && memcmp(data, word, word_len) == 0;
}

/* 0: the lane does not answer it. */
static enum http_method
method_of(const char *data, size_t len)
{
	if (begins_with(data, len, "GET ", 4))
		return HTTP_GET;
	return begins_with(data, len, "HEAD ", 5) ? HTTP_HEAD : 0;
}

/* The target of the path, if it takes requests from here; NULL: the request is evhttp's. */
static const struct http_target *
find_target(struct http_request *request)
{
	if (router_find(dispatch_of(request)->router, request->path, request->path_len, request->method,
		    &request->match) < 0)
		return NULL;
	const struct http_target *target = request->match.target;
	assert(target);
	return target->answer_now || target->is_by_lane ? target : NULL;
}

/* Makes a request of the len bytes that have come in.  Returns its target; NULL: the request is evhttp's. */
static const struct http_target *
read_request(struct lane *lane, struct http_connection *connection, const char *data, size_t len,
	const struct guard_note *note)
{
	struct http_request *request = &lane->request;

	memcpy(lane->text, data, len);
	lane->is_held = false;
	dispatch_init_request(request, connection, &lane_transport, method_of(data, len));
	piece_read_target(note, lane->text, request);
	if (request->target_memory) {
		http_request_fini(request);
		return NULL;
	}
	const struct http_target *target = find_target(request);
	if (!target)
		return NULL;
	piece_read_fields(note, lane->text, &lane->piece);
	return http_request_asks_close(request) || !dispatch_is_plain(request) || !dispatch_knows(request)
		       ? NULL
		       : target;
}

/* The request is about to be answered: from now on time counts. */
static void
begin(struct http_request *request, int64_t *ret_began_us)
{
	request->began_us = clock_mono_us();
	http_request_set_id(request);
	*ret_began_us = request->began_us;
}

/* The principal may be lent for this moment only: the request gets a copy of its own. */
static void
keep_principal(struct http_request *request)
{
	if (request->principal)
		request->principal = request->principal_memory = xstrdup(request->principal);
}

/* Gives the request memory of its own and its handler, which replies at once or later.  False if it is evhttp's
 * after all: its log-in may have expired since it was read for the first time. */
static bool
hold(struct http_connection *connection, const char *data, size_t len, const struct guard_note *note,
	int64_t *ret_began_us)
{
	struct dispatch *dispatch = dispatch_of_connection(connection);
	struct lane *lane = take(dispatch);
	struct http_request *request = &lane->request;

	if (!read_request(lane, connection, data, len, note)) {
		give(dispatch, lane);
		return false;
	}
	begin(request, ret_began_us);
	keep_principal(request);
	lane->is_held = true;
	dispatch->shared.request_count++;
	connection_begin_request(connection, request);
	connection_input_drop(connection);
	request->transport->admitted(request);
	return true;
}

bool
lane_answer(struct http_connection *connection, const char *data, size_t len, const struct guard_note *note,
	int64_t *ret_began_us)
{
	struct dispatch *dispatch = dispatch_of_connection(connection);
	struct lane lane;

	if (!method_of(data, len) || !note->is_plain || len > sizeof lane.text || !dispatch->router ||
		connection->is_closing)
		return false;
	const struct http_target *target = read_request(&lane, connection, data, len, note);
	if (!target)
		return false;
	if (!target->answer_now)
		return hold(connection, data, len, note, ret_began_us);
	begin(&lane.request, ret_began_us);
	return target->answer_now(&lane.request, target->arg);
}
