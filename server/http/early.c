/*
 * Early judgement: the transport of heads whose body is still to come.
 *
 * A head that is judged early is a request of its own, which goes through the same log-in and router as the
 * whole one will.  A reply to it is a refusal, and closes the connection.  If the head is good, this request
 * ends, and the whole one begins anew, with a log-in that is remembered.
 */
#include "http/early.h"

#include "common/clock.h"
#include "http/connection_input.h"
#include "http/connection_refusal.h"
#include "http/dispatch.h"
#include "http/piece.h"
#include "http/transport.h"

#include <stdlib.h>
#include <string.h>

/* A request and what it lends. */
struct early {
	struct http_request request;
	struct piece piece;
	char text[]; /* the head up to the end of its last field */
};

static const struct piece *
piece_of(const struct http_request *request)
{
	return &container_of(request, struct early, request)->piece;
}

static const char *
get_field(const struct http_request *request, const char *name)
{
	return piece_find(piece_of(request), name);
}

static void
each_field(const struct http_request *request, http_each_fn fn, void *arg)
{
	piece_each(piece_of(request), fn, arg);
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
	request->shared->request_count--;
	if (request->peer)
		connection_of(request)->early = NULL;
	http_request_fini(request);
	free(container_of(request, struct early, request));
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

/* A connection that is about to close has no use for an early refusal; and a note that is full may lack
 * fields. */
static bool
is_judged(const struct http_connection *connection, const struct guard_note *note, size_t len)
{
	return note->field_count < GUARD_NOTE_FIELDS && dispatch_of_connection(connection)->router &&
	       !connection->is_closing && piece_head_len(note) < len;
}

static struct http_request *
make_request(struct http_connection *connection, const char *data, const struct guard_note *note)
{
	size_t len = piece_head_len(note);
	struct early *early = xcalloc(1, sizeof *early + len + 1);
	struct http_request *request = &early->request;

	memcpy(early->text, data, len);
	early->text[note->target - 1] = '\0';
	dispatch_init_request(request, connection, &early_transport, http_method_find(early->text));
	request->began_us = clock_mono_us();
	piece_read_target(note, early->text, request);
	piece_read_fields(note, early->text, &early->piece);
	http_request_set_id(request);
	return request;
}

void
early_judge(struct http_connection *connection, const char *data, size_t len, const struct guard_note *note)
{
	if (!is_judged(connection, note, len))
		return;
	connection->early = make_request(connection, data, note);
	connection->early->shared->request_count++;
	dispatch_begin(connection->early);
}
