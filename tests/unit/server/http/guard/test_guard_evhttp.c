/*
 * What the wire guard has passed, evhttp reads as the same requests: every file of the corpus goes through
 * the guard, and what was passed through a real evhttp on a loopback connection, at once and byte by byte.
 */
#include "tests/unit/server/http/guard/guard_corpus.h"
#include "tests/unit/server/http/guard/guard_reference.h"
#include "tests/unit/server/http/guard/guard_trace.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <signal.h>
#include <stdio.h>
#include <sys/queue.h>

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

enum { PATIENCE_S = 20 };

struct server {
	struct event_base *base;
	struct evhttp *http;
	struct sockaddr_in address;
	struct text told;  /* the requests that came, as the reference tells them */
	unsigned requests; /* how many */
};

struct client {
	struct bufferevent *bev;
	struct text answers; /* all that the server sent */
	bool gone;	     /* the connection has ended */
};

static const char *
method_name(enum evhttp_cmd_type type)
{
	switch (type) {
	case EVHTTP_REQ_GET:
		return "GET";
	case EVHTTP_REQ_HEAD:
		return "HEAD";
	case EVHTTP_REQ_POST:
		return "POST";
	case EVHTTP_REQ_PUT:
		return "PUT";
	case EVHTTP_REQ_PATCH:
		return "PATCH";
	case EVHTTP_REQ_DELETE:
		return "DELETE";
	case EVHTTP_REQ_OPTIONS:
		return "OPTIONS";
	default:
		return "?";
	}
}

static void
on_request(struct evhttp_request *req, void *arg)
{
	struct server *server = arg;
	struct evbuffer *input = evhttp_request_get_input_buffer(req);
	struct text fields = {0}, body = {0};
	struct evkeyval *field;
	char *line = xasprintf("%s %s HTTP/%d.%d", method_name(evhttp_request_get_command(req)),
		evhttp_request_get_uri(req), req->major, req->minor);

	TAILQ_FOREACH(field, evhttp_request_get_input_headers(req), next)
		text_addf(&fields, "%s: %s\n", field->key, field->value);
	if (evbuffer_get_length(input) > 0)
		text_add(&body, evbuffer_pullup(input, -1), evbuffer_get_length(input));
	guard_reference_tell(&server->told, line, &fields, &body);
	server->requests++;
	text_fini(&fields);
	text_fini(&body);
	free(line);
	evhttp_send_reply(req, 204, "Read", NULL);
}

static int
start_server(void **state)
{
	struct server *server = xcalloc(1, sizeof(*server));
	struct evhttp_bound_socket *bound;
	socklen_t size = sizeof(server->address);

	signal(SIGPIPE, SIG_IGN);
	server->base = event_base_new();
	server->http = evhttp_new(server->base);
	evhttp_set_max_headers_size(server->http, 16384);
	evhttp_set_max_body_size(server->http, (ev_ssize_t)guard_corpus_limits.max_body_bytes);
	evhttp_set_allowed_methods(server->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST |
							 EVHTTP_REQ_PUT | EVHTTP_REQ_PATCH |
							 EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS);
	evhttp_set_gencb(server->http, on_request, server);
	bound = evhttp_bind_socket_with_handle(server->http, "127.0.0.1", 0);
	assert_non_null(bound);
	assert_int_equal(
		getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&server->address, &size),
		0);
	*state = server;
	return 0;
}

static int
stop_server(void **state)
{
	struct server *server = *state;

	evhttp_free(server->http);
	event_base_free(server->base);
	text_fini(&server->told);
	free(server);
	libevent_global_shutdown();
	return 0;
}

static void
on_answer(struct bufferevent *bev, void *arg)
{
	struct client *client = arg;
	struct evbuffer *input = bufferevent_get_input(bev);
	size_t len = evbuffer_get_length(input);

	text_add(&client->answers, evbuffer_pullup(input, -1), len);
	evbuffer_drain(input, len);
}

static void
on_end(struct bufferevent *bev, short what, void *arg)
{
	struct client *client = arg;

	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		client->gone = true;
}

static unsigned
count(const struct text *text, const char *word)
{
	unsigned found = 0;
	const char *at = text->len ? text->data : "";

	while ((at = strstr(at, word))) {
		found++;
		at++;
	}
	return found;
}

static unsigned
answers_of(const struct client *client)
{
	return count(&client->answers, " 204 Read\r\n");
}

static void
give_up(evutil_socket_t fd, short what, void *arg)
{
	fail_msg("evhttp did not end within %d s", PATIENCE_S);
}

/* Sends what was passed, waits for as many answers as requests were complete, ends, and waits for evhttp
 * to end too. */
static void
converse(struct server *server, struct client *client, const struct text *passed, size_t piece,
	unsigned requests)
{
	struct event *patience = evtimer_new(server->base, give_up, NULL);
	struct timeval delay = {PATIENCE_S, 0};

	evtimer_add(patience, &delay);
	client->bev = bufferevent_socket_new(server->base, -1, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(client->bev, on_answer, NULL, on_end, client);
	bufferevent_enable(client->bev, EV_READ | EV_WRITE);
	assert_int_equal(bufferevent_socket_connect(
				 client->bev, (struct sockaddr *)&server->address, sizeof(server->address)),
		0);
	for (size_t at = 0; at < passed->len && !client->gone; at += piece) {
		bufferevent_write(
			client->bev, passed->data + at, passed->len - at < piece ? passed->len - at : piece);
		event_base_loop(server->base, EVLOOP_NONBLOCK);
	}
	while (!client->gone && (answers_of(client) < requests ||
					evbuffer_get_length(bufferevent_get_output(client->bev)) > 0))
		event_base_loop(server->base, EVLOOP_ONCE);
	if (!client->gone)
		shutdown(bufferevent_getfd(client->bev), SHUT_WR);
	while (!client->gone)
		event_base_loop(server->base, EVLOOP_ONCE);
	bufferevent_free(client->bev);
	event_free(patience);
}

static void
check_conversation(struct server *server, const char *name, const struct text *passed, size_t piece,
	const struct guard_reference *reference, unsigned requests)
{
	struct client client = {0};

	text_clear(&server->told);
	server->requests = 0;
	if (passed->len > 0)
		converse(server, &client, passed, piece, requests);
	if (server->requests != requests)
		fail_msg("%s: evhttp read %u requests instead of %u", name, server->requests, requests);
	if (server->told.len != reference->told.len ||
		(reference->told.len > 0 &&
			memcmp(server->told.data, reference->told.data, reference->told.len) != 0))
		fail_msg(
			"%s: evhttp read\n%s\ninstead of\n%s", name, server->told.data, reference->told.data);
	if (answers_of(&client) != requests ||
		count(&client.answers, "HTTP/1.") != requests + count(&client.answers, " 100 Continue\r\n"))
		fail_msg("%s: evhttp answered\n%s", name, client.answers.data);
	text_fini(&client.answers);
}

/* Whether the file tells by its name what is to come of it; what the fuzzer has found is named by its
 * digest. */
static bool
is_named(const char *name)
{
	return strlen(name) != 40 || strspn(name, "0123456789abcdef") != 40;
}

/* The guard ends requests where the reference does; evhttp then reads those that come before one that
 * closes. */
static void
check_file(void *arg, const char *name, const char *wire, size_t len)
{
	struct server *server = arg;
	struct guard_reference reference = {.at = wire, .end = wire + len};
	struct guard_trace trace;
	unsigned requests = 0;

	guard_trace_all_ways(&trace, &guard_corpus_limits, wire, len);
	assert_true(trace.end_count <= GUARD_TRACE_ENDS);
	if (is_named(name) && trace.refused != (strncmp(name, "bad-", 4) == 0))
		fail_msg("%s: %s", name, trace.refused ? trace.guard.reason : "was not refused");
	for (unsigned i = 0; i < trace.end_count; i++) {
		requests += !reference.closed;
		guard_reference_read(&reference);
		if (reference.at != wire + trace.ends[i])
			fail_msg("%s: request %u ends at %zu, not at %zu", name, i,
				(size_t)(reference.at - wire), trace.ends[i]);
	}
	check_conversation(server, name, &trace.passed, SIZE_MAX / 2, &reference, requests);
	check_conversation(server, name, &trace.passed, 1, &reference, requests);
	text_fini(&reference.told);
	guard_trace_fini(&trace);
}

static void
test_corpus(void **state)
{
	guard_corpus_each(check_file, *state);
}

/* The largest of everything that the guard lets through, in one request. */
static void
test_largest(void **state)
{
	const struct guard_limits *limits = &guard_corpus_limits;
	struct text wire = {0};
	size_t header_left = limits->max_header_bytes - strlen("Host: aTransfer-Encoding: chunked");

	text_add_string(&wire, "OPTIONS /");
	for (size_t i = 1; i < limits->max_target_bytes; i++)
		text_add_char(&wire, 'a');
	text_add_string(&wire, " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n");
	for (unsigned i = 2; i < limits->max_header_count; i++) {
		size_t most = limits->max_line_bytes < header_left ? limits->max_line_bytes : header_left;
		size_t len = most > 60 ? most - 60 + i : 2;
		if (len > most)
			len = most;
		text_add_string(&wire, "A:");
		for (size_t k = 2; k < len; k++)
			text_add_char(&wire, 'b');
		text_add_string(&wire, "\r\n");
		header_left -= len;
		if (header_left < 2)
			break;
	}
	text_addf(&wire, "\r\n%zx\r\n", (size_t)limits->max_body_bytes);
	for (size_t i = 0; i < limits->max_body_bytes; i++)
		text_add_char(&wire, (char)i);
	text_add_string(&wire, "\r\n0\r\n\r\n");
	struct guard_trace trace;
	guard_trace_init(&trace, limits);
	guard_trace_feed(&trace, wire.data, wire.len);
	assert_int_equal(trace.end_count, 1);
	struct guard_reference reference = {.at = wire.data, .end = wire.data + wire.len};
	guard_reference_read(&reference);
	check_conversation(*state, "the largest", &trace.passed, SIZE_MAX / 2, &reference, 1);
	text_fini(&reference.told);
	guard_trace_fini(&trace);
	text_fini(&wire);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_corpus, start_server, stop_server),
		cmocka_unit_test_setup_teardown(test_largest, start_server, stop_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
