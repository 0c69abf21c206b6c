/*
 * Early judgement: see early.h.
 *
 * A head that is judged early is a request of its own, which goes through the same log-in and router as the
 * whole one will.  A reply to it is a refusal: it closes the connection (reply.c).  Being admitted is its
 * end, and the whole request begins anew, with a log-in that is remembered.
 */
#include "http/early.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/http/fields.h"
#include "http/connection.h"
#include "http/lane.h"
#include "http/listener.h"
#include "http/request.h"

#include <stdlib.h>
#include <string.h>

/* A request and what it lends. */
struct early {
	struct http_request request;
	struct lane_head head;
	char text[]; /* the head up to the end of its last field */
};

/* How much of the first piece the parts that were noted take up. */
static size_t
head_len(const struct guard_note *note)
{
	size_t len = note->target + note->target_len;

	for (unsigned i = 0; i < note->field_count; i++) {
		const struct guard_field_note *field = &note->fields[i];
		if (field->name_len > 0 && field->value + field->value_len > len)
			len = field->value + field->value_len;
	}
	return len;
}

/* A client that is about to close, or a server, has no use for an early word; and of more fields not all are
 * known. */
static bool
is_judged(const struct http_connection *connection, const struct guard_note *note)
{
	const struct http_server *server = connection->listener->server;

	return note->field_count < GUARD_NOTE_FIELDS && server->router && !connection->closing &&
	       !server->draining;
}

static struct http_request *
make_request(struct http_connection *connection, const char *data, const struct guard_note *note)
{
	struct http_server *server = connection->listener->server;
	size_t len = head_len(note);
	struct early *early = xcalloc(1, sizeof *early + len + 1);
	struct http_request *request = &early->request;

	memcpy(early->text, data, len);
	request->is_early = true;
	request->lane = &early->head;
	request->connection = connection;
	request->server = server;
	request->is_admin = server->config.all_admins;
	request->began_us = clock_mono_us();
	lane_read_target(note, early->text, request);
	lane_read_fields(note, early->text, &early->head);
	early->text[note->target - 1] = '\0';
	request->method = http_method_find(early->text);
	http_request_set_id(request);
	return request;
}

void
early_judge(struct http_connection *connection, const char *data, size_t len, const struct guard_note *note)
{
	if (!is_judged(connection, note) || head_len(note) >= len)
		return;
	struct http_request *request = make_request(connection, data, note);
	connection->early = request;
	connection->listener->server->request_count++;
	http_request_log_in(request);
	if (connection->early)
		connection_pause(connection);
}

void
early_pass(struct http_request *request)
{
	struct http_connection *connection = request->connection;

	early_free(request);
	connection_go_on(connection);
}

void
early_free(struct http_request *request)
{
	request->server->request_count--;
	if (request->connection)
		request->connection->early = NULL;
	fields_fini(&request->extra);
	free(request->principal_memory);
	free(container_of(request, struct early, request));
}
