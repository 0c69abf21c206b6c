/*
 * The fast lane: see lane.h.
 *
 * A request's head is copied so that the pieces can be ended by NULs: onto the stack, and, for a handler that
 * may reply later, once more into memory of its own, which is kept from one such request to the next.  A
 * reply that the socket does not take whole is written as any other: connection_flush_answer.
 */
#include "http/lane.h"

#include "common/clock.h"
#include "http/auth.h"
#include "http/connection.h"
#include "http/listener.h"
#include "http/request.h"
#include "http/tls.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Longer heads are evhttp's. */
#define HEAD_BYTES 2048

/* Requests that have ended whose memory is kept. */
#define SPARES_MAX 64u

/* A request and what it lends. */
struct lane {
	struct list link; /* in the server's spares */
	struct http_request request;
	struct lane_head head;
	char text[HEAD_BYTES];
};

/* Memory for a request, with whatever the last one has left there. */
static struct lane *
take(struct http_server *server)
{
	if (list_is_empty(&server->lane_spares))
		return xcalloc(1, sizeof(struct lane));
	struct lane *lane = container_of(server->lane_spares.next, struct lane, link);
	list_remove(&lane->link);
	server->lane_spare_count--;
	return lane;
}

static void
give(struct http_server *server, struct lane *lane)
{
	if (server->lane_spare_count == SPARES_MAX) {
		free(lane);
		return;
	}
	list_add_head(&server->lane_spares, &lane->link);
	server->lane_spare_count++;
}

void
lane_fini(struct http_server *server)
{
	list_for_each_safe(node, &server->lane_spares) {
		struct lane *lane = container_of(node, struct lane, link);
		list_remove(&lane->link);
		free(lane);
	}
	server->lane_spare_count = 0;
}

static bool
begins_with(const char *data, size_t len, const char *word, size_t word_len)
{
	return len >= word_len && memcmp(data, word, word_len) == 0;
}

/* 0 if it is none that the lane answers. */
static enum http_method
method_of(const char *data, size_t len)
{
	if (begins_with(data, len, "GET ", 4))
		return HTTP_GET;
	return begins_with(data, len, "HEAD ", 5) ? HTTP_HEAD : 0;
}

/* Ends a piece of the text that a CR, a colon or a blank follows. */
static char *
cut(char *text, uint32_t at, uint32_t len)
{
	text[at + len] = '\0';
	return text + at;
}

void
lane_read_fields(const struct guard_note *note, char *text, struct lane_head *head)
{
	/* One without a name is of trailers. */
	for (head->count = 0; head->count < note->field_count; head->count++) {
		const struct guard_field_note *field = &note->fields[head->count];
		struct lane_field *read = &head->fields[head->count];
		uint32_t len = field->value_len;

		if (field->name_len == 0)
			break;
		while (len > 0 && strchr(" \t", text[field->value + len - 1]))
			len--;
		read->name = cut(text, field->name, field->name_len);
		read->value = cut(text, field->value, len);
	}
}

void
lane_read_target(const struct guard_note *note, char *text, struct http_request *request)
{
	char *target = cut(text, note->target, note->target_len);
	char *question = memchr(target, '?', note->target_len);

	request->path = target;
	request->path_len = question ? (size_t)(question - target) : note->target_len;
	request->query = question ? question + 1 : NULL;
}

/* Whether it is known at once who asks, and that he may. */
static bool
is_admitted(struct http_connection *connection, struct http_request *request)
{
	struct auth *auth = request->server->config.auth;
	struct ssl_ctx_st *tls = connection->listener->tls;

	return !auth ||
	       auth_knows(auth, request, connection_client_name(connection), tls && tls_asks_clients(tls));
}

/* What the path leads to, if that takes requests from here; NULL: evhttp's. */
static const struct http_target *
find_target(struct http_request *request)
{
	if (router_find(request->server->router, request->path, request->path_len, request->method,
		    &request->match) < 0)
		return NULL;
	const struct http_target *target = request->match.target;
	assert(target);
	return target->answer_now || target->is_by_lane ? target : NULL;
}

/* What the request may have been lent only for this moment becomes its own. */
static void
keep_principal(struct http_request *request)
{
	if (request->principal)
		request->principal = request->principal_memory = xstrdup(request->principal);
}

void
lane_end(struct http_request *request)
{
	struct http_connection *connection = request->connection;
	struct http_server *server = request->server;

	server->request_count--;
	fields_fini(&request->extra);
	free(request->principal_memory);
	give(server, container_of(request, struct lane, request));
	if (connection)
		connection_end_in_lane(connection);
}

/* Makes a request of what has come in.  What it is for; NULL: it is evhttp's. */
static const struct http_target *
read_request(struct lane *lane, struct http_connection *connection, enum http_method method, const char *data,
	size_t len, const struct guard_note *note)
{
	struct http_request *request = &lane->request;
	struct http_server *server = connection->listener->server;

	memcpy(lane->text, data, len);
	*request = (struct http_request){.method = method,
		.lane = &lane->head,
		.connection = connection,
		.server = server,
		.is_admin = server->config.all_admins};
	lane_read_target(note, lane->text, request);
	const struct http_target *target = find_target(request);
	if (!target)
		return NULL;
	lane_read_fields(note, lane->text, &lane->head);
	return http_request_closes(request) || !is_admitted(connection, request) ? NULL : target;
}

/* Is about to answer: from now on time counts. */
static void
begin(struct http_request *request, int64_t *ret_began_us)
{
	request->began_us = clock_mono_us();
	http_request_set_id(request);
	*ret_began_us = request->began_us;
}

/* The handler replies at once or later: the request is its own until then, in memory of its own. */
static void
call_handler(struct http_connection *connection, enum http_method method, const char *data, size_t len,
	const struct guard_note *note, int64_t *ret_began_us)
{
	struct http_server *server = connection->listener->server;
	struct lane *lane = take(server);
	const struct http_target *target = read_request(lane, connection, method, data, len, note);
	struct http_request *request = &lane->request;

	assert(target);
	begin(request, ret_began_us);
	keep_principal(request);
	request->is_held = true;
	server->request_count++;
	connection_hold_in_lane(connection, request);
	target->handler(request, target->arg);
}

bool
lane_answer(struct http_connection *connection, const char *data, size_t len, const struct guard_note *note,
	int64_t *ret_began_us)
{
	struct http_server *server = connection->listener->server;
	enum http_method method = method_of(data, len);
	struct lane lane;

	if (!method || !note->is_plain || len > sizeof lane.text || !server->router || connection->closing ||
		server->draining || server->config.lane_is_closed)
		return false;
	const struct http_target *target = read_request(&lane, connection, method, data, len, note);
	if (!target)
		return false;
	if (!target->answer_now) {
		call_handler(connection, method, data, len, note, ret_began_us);
		return true;
	}
	begin(&lane.request, ret_began_us);
	return target->answer_now(&lane.request, target->arg);
}
