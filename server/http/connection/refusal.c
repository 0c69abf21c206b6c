/* The refusal that a connection ends with: the guard's, that of a request which comes too slowly, or the reply
 * to a head. */
#include "http/connection/refusal.h"

#include "common/http/problem.h"
#include "http/connection/input.h"
#include "http/connection/output.h"
#include "http/message/head.h"
#include "http/message/lines.h"

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <string.h>
#include <sys/socket.h>

/* How long, and how many bytes, are dropped after a refusal before the connection is closed.  A client that
 * sends a body which could have been taken is given more of both. */
#define LINGER_MS 2000
#define LINGER_BYTES (1024 * 1024)
#define LINGER_BODY_MS 10000

void
connection_refusal_enter_refused(struct http_connection *connection, enum connection_state from)
{
	(void)from;
	connection_forget_early(connection);
	if (connection->refusal.len == 0)
		connection_input_see(connection);
	connection->linger_bytes = LINGER_BYTES;
	connection_start_timer(connection, 0);
}

void
connection_refusal_on_refused_deadline(struct http_connection *connection)
{
	connection_go(connection, CONNECTION_LINGERING);
}

void
connection_refusal_on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	(void)what;
	connection_close(arg);
}

void
connection_refusal_on_written(struct bufferevent *bev, void *arg)
{
	struct http_connection *connection = arg;

	if (!connection->peer.is_tls)
		shutdown(bufferevent_getfd(bev), SHUT_WR);
}

static void
write_refusal(struct http_connection *connection)
{
	struct problem_report report = {
		.problem = connection->guard.problem, .detail = connection->guard.reason};
	const struct http_room *room = &connection->env->room;
	const struct seen *seen = connection->seen;
	struct http_request request = {
		.method = seen->method,
		.path = seen->path,
		.path_len = seen->path_len,
		.is_refused = true,
		.peer = &connection->peer,
		.shared = connection->env->shared,
	};

	if (report.problem == PROBLEM_STORAGE && room->retry_after)
		report.retry_after_s = room->retry_after(room->arg);
	strcpy(request.id, seen->id);
	head_format_refusal(&request, &report, &connection->refusal);
}

void
connection_refusal_enter_lingering(struct http_connection *connection, enum connection_state from)
{
	bool is_judged = connection->refusal.len > 0;

	(void)from;
	if (!is_judged)
		write_refusal(connection);
	bufferevent_enable(connection->bev, EV_READ | EV_WRITE);
	connection_output_add(connection, connection->refusal.data, connection->refusal.len);
	text_fini(&connection->refusal);
	connection_start_timer(connection, is_judged ? LINGER_BODY_MS : LINGER_MS);
}

/* The refusal is there to be written; the body may go on to come. */
static void
begin(struct http_connection *connection)
{
	uint64_t most = connection->env->limits.max_body_bytes;

	connection_input_drop(connection);
	connection_go(connection, CONNECTION_REFUSED);
	if (most > LINGER_BYTES)
		connection->linger_bytes = most;
}

void
connection_refusal_begin(struct http_connection *connection, const struct text *reply)
{
	text_add(&connection->refusal, reply->data, reply->len);
	begin(connection);
}

void
connection_refusal_for_room(struct http_connection *connection)
{
	connection->guard.problem = PROBLEM_STORAGE;
	connection->guard.reason = "There is no room for the body at the moment.";
	write_refusal(connection);
	begin(connection);
}

/* The request has not come in time, unless its body makes progress. */
void
connection_refusal_on_late(struct http_connection *connection)
{
	struct guard *guard = &connection->guard;

	if (guard->in_body && connection_makes_progress(connection, guard->body_bytes))
		return;
	guard->problem = PROBLEM_REQUEST_TIMEOUT;
	guard->reason = "The request did not arrive in time.";
	connection_go(connection, CONNECTION_REFUSED);
	connection_go(connection, CONNECTION_LINGERING);
}
