/*
 * The fast lane: see lane.h.
 *
 * The request lies on the stack, its head copied so that the pieces can be ended by NULs.  A reply that the socket does not take whole is
 * written as any other: connection_flush_answer.
 */
#include "http/lane.h"

#include "common/clock.h"
#include "http/auth.h"
#include "http/connection.h"
#include "http/listener.h"
#include "http/request.h"
#include "http/tls.h"

#include <assert.h>
#include <string.h>

/* Longer heads are evhttp's. */
#define HEAD_BYTES 2048

/* A request and what it lends. */
struct lane {
	struct http_request request;
	struct lane_head head;
	char text[HEAD_BYTES];
};

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

/* What the path leads to, if that may answer at once; NULL: evhttp's. */
static const struct http_target *
find_target(struct http_request *request)
{
	if (router_find(request->server->router, request->path, request->path_len, request->method,
		    &request->match) < 0)
		return NULL;
	const struct http_target *target = request->match.target;
	assert(target);
	return target->answer_now ? target : NULL;
}

bool
lane_answer(struct http_connection *connection, const char *data, size_t len, const struct guard_note *note,
	int64_t *ret_began_us)
{
	struct http_server *server = connection->listener->server;
	enum http_method method = method_of(data, len);
	struct lane lane;
	struct http_request *request = &lane.request;

	if (!method || !note->is_plain || len > sizeof lane.text || !server->router || connection->closing ||
		server->draining || server->config.lane_is_closed)
		return false;
	memcpy(lane.text, data, len);
	lane.request = (struct http_request){.method = method,
		.lane = &lane.head,
		.connection = connection,
		.server = server,
		.is_admin = server->config.all_admins};
	lane_read_target(note, lane.text, request);
	const struct http_target *target = find_target(request);
	if (!target)
		return false;
	lane_read_fields(note, lane.text, &lane.head);
	if (http_request_closes(request) || !is_admitted(connection, request))
		return false;
	request->began_us = clock_mono_us();
	http_request_set_id(request);
	*ret_began_us = request->began_us;
	return target->answer_now(request, target->arg);
}
