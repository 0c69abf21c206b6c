/*
 * Early judgement: the transport of heads whose body is still to come.
 *
 * A head that is judged early is a request of its own, which goes through the same log-in and router as the
 * whole one will.  A reply to it is a refusal, and closes the connection.  If the head is good, this request
 * ends, and the whole one begins anew, with a log-in that is remembered.
 */
#include "http/transport/early.h"

#include "common/clock.h"
#include "http/connection/input.h"
#include "http/connection/refusal.h"
#include "http/message/lines.h"
#include "http/message/transport.h"
#include "http/transport/dispatch.h"

#include <stdlib.h>

/* A request and what it lends. */
struct early {
	struct http_request request;
	struct lines lines;
	char *host; /* of an absolute target; NULL: none */
};

static const struct lines *
lines_of(const struct http_request *request)
{
	return &container_of(request, struct early, request)->lines;
}

static const char *
get_field(const struct http_request *request, const char *name)
{
	return lines_find(lines_of(request), name);
}

static void
each_field(const struct http_request *request, http_each_fn fn, void *arg)
{
	lines_each(lines_of(request), fn, arg);
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
	return connection_of(request)->guard.body_total;
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
limit_body(struct http_request *request, uint64_t most)
{
	guard_limit_body(&connection_of(request)->guard, most);
}

static const char *
persistence(struct http_request *request)
{
	(void)request;
	return "close";
}

static void
write_piece(struct http_request *request, const struct text *piece)
{
	connection_refusal_begin(connection_of(request), piece);
}

static void
cut_short(struct http_request *request)
{
	if (request->peer)
		connection_close(connection_of(request));
}

static void
end(struct http_request *request)
{
	struct early *early = container_of(request, struct early, request);

	request->shared->request_count--;
	if (request->peer)
		connection_of(request)->early = NULL;
	http_request_fini(request);
	lines_fini(&early->lines);
	free(early->host);
	free(early);
}

/* The target may refuse.  Else evhttp may have the whole request. */
static void
judge(struct http_request *request)
{
	struct http_target *target = request->match.target;
	struct http_connection *connection = connection_of(request);

	if (target->refuse_early && target->refuse_early(request, target->arg))
		return;
	end(request);
	connection_input_resume(connection);
}

static const struct http_transport early_transport = {
	.field = get_field,
	.each_field = each_field,
	.body_len = body_len,
	.announced_len = announced_len,
	.take_body = take_body,
	.limit_body = limit_body,
	.admitted = judge,
	.persistence = persistence,
	.write = write_piece,
	.cut_short = cut_short,
	.end = end,
};

/* A connection that is about to close has no use for an early refusal. */
static bool
is_judged(const struct http_connection *connection)
{
	return dispatch_of_connection(connection)->router && !connection->is_closing;
}

static struct http_request *
make_request(struct http_connection *connection, const char *data, size_t len)
{
	struct early *early = xcalloc(1, sizeof *early);
	struct http_request *request = &early->request;

	lines_read(data, len, &early->lines);
	if (connection->host.len > 0) {
		early->host = xstrdup(connection->host.data);
		lines_put(&early->lines, "Host", early->host);
	}
	dispatch_init_request(request, connection, &early_transport, early->lines.method);
	request->began_us = clock_mono_us();
	http_request_set_target(request, early->lines.target, early->lines.target_len);
	http_request_set_id(request);
	return request;
}

void
early_judge(struct http_connection *connection, const char *data, size_t len)
{
	if (!is_judged(connection))
		return;
	connection->early = make_request(connection, data, len);
	connection->early->shared->request_count++;
	dispatch_begin(connection->early);
}
