/*
 * A connection's moves from state to state.
 *
 * The rules are the owner's (env->rules).  This is the one place that sets the callbacks of a bufferevent,
 * beside evhttp itself, which sets its own when it begins to read the next request.
 */
#include "http/connection_state.h"

#include <assert.h>
#include <event2/bufferevent.h>
#include <event2/http.h>

/* A body must come at least at this rate, and a reply be taken, over any interval of its deadline. */
#define LEAST_BYTES_PER_SECOND 512

static const struct connection_rule *
rule_of(const struct http_connection *connection)
{
	return &connection->env->rules[connection->state];
}

static void
on_deadline(struct timer *timer)
{
	struct http_connection *connection = container_of(timer, struct http_connection, timer);

	rule_of(connection)->on_deadline(connection);
}

void
connection_state_init(struct http_connection *connection)
{
	connection->state = CONNECTION_NEW;
	connection->owner = CONNECTION_OF_EVHTTP;
	timer_init(&connection->timer, on_deadline);
}

static void
set_callbacks(struct http_connection *connection)
{
	const struct connection_env *env = connection->env;
	const struct connection_rule *rule = rule_of(connection);

	connection->owner = rule->owner;
	if (rule->owner == CONNECTION_OURS)
		bufferevent_setcb(connection->bev, NULL, rule->on_write, rule->on_event, connection);
	else
		bufferevent_setcb(connection->bev,
			rule->owner == CONNECTION_OF_EVHTTP ? env->evhttp_on_read : NULL,
			env->evhttp_on_write, env->evhttp_on_event, connection->evhttp);
}

void
connection_go(struct http_connection *connection, enum connection_state state)
{
	enum connection_state from = connection->state;

	assert(rule_of(connection)->next & 1 << state);
	connection->state = state;
	if (rule_of(connection)->owner == CONNECTION_OURS || rule_of(connection)->owner != connection->owner)
		set_callbacks(connection);
	if (rule_of(connection)->on_enter)
		rule_of(connection)->on_enter(connection, from);
}

void
connection_start_timer(struct http_connection *connection, int64_t after_ms)
{
	timer_start(connection->env->timers, &connection->timer, after_ms);
}

bool
connection_makes_progress(struct http_connection *connection, uint64_t bytes)
{
	int64_t interval_ms = connection->env->header_timeout_ms;
	uint64_t least = (uint64_t)interval_ms * LEAST_BYTES_PER_SECOND / 1000;

	if (bytes - connection->progress_mark < least)
		return false;
	connection->progress_mark = bytes;
	connection_start_timer(connection, interval_ms);
	return true;
}

void
connection_forget_early(struct http_connection *connection)
{
	struct http_request *early = connection->early;

	connection->early = NULL;
	if (early)
		http_request_leave(early);
}

void
connection_close(struct http_connection *connection)
{
	if (connection->evhttp)
		evhttp_connection_free(connection->evhttp);
}
