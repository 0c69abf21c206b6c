/*
 * The states of a connection, on a socket pair and with a fake evhttp: for each state who has the callbacks of
 * the bufferevent, which states may follow, what its deadline does, and what comes of input; then the ways that
 * requests take through them.
 */
#include "http/connection/connection.h"

#include "common/clock.h"
#include "http/connection/input.h"
#include "http/connection/output.h"
#include "http/connection/refusal.h"
#include "http/message/lines.h"
#include "http/message/shared.h"
#include "tests/unit/common/loop/loop.h"
#include "tests/unit/server/http/message/fake_request.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

enum { HEADER_MS = 1000, IDLE_MS = 5000, HELD_MS = 1000000, LINGER_MS = 2000, PIPELINE_BYTES = 16 * 1024 };

/* A connection with its peer's end of the socket. */
struct scene {
	struct event_base *base;
	struct http_shared shared;
	struct connection_env env;
	struct connection_door door;
	struct http_connection *connection; /* NULL once it is freed */
	struct bufferevent *bev;
	int client;
	struct text received;	     /* by the client */
	unsigned reads;		     /* times that evhttp has heard of input */
	bool takes_whole, judges;    /* what on_whole and on_head do */
	unsigned wholes, heads;	     /* times that they were called */
	struct fake_request request; /* what on_head has made */
	struct fake_request working; /* with its handler */
	uint64_t room;		     /* that is left for bodies */
	void (*closecb)(struct evhttp_connection *, void *);
	void *closecb_arg;
};

static struct scene *scene;

/* evhttp's functions, in the place of libevent's: a scene is its connection. */

void
evhttp_connection_set_closecb(
	struct evhttp_connection *evhttp, void (*fn)(struct evhttp_connection *, void *), void *arg)
{
	assert_ptr_equal(evhttp, scene);
	scene->closecb = fn;
	scene->closecb_arg = arg;
}

void
evhttp_connection_get_peer(struct evhttp_connection *evhttp, char **ret_address, ev_uint16_t *ret_port)
{
	static char address[] = "192.0.2.1";

	(void)evhttp;
	*ret_address = address;
	*ret_port = 80;
}

struct bufferevent *
evhttp_connection_get_bufferevent(struct evhttp_connection *evhttp)
{
	assert_ptr_equal(evhttp, scene);
	return scene->bev;
}

void
evhttp_connection_free(struct evhttp_connection *evhttp)
{
	scene->closecb(evhttp, scene->closecb_arg);
	bufferevent_free(scene->bev);
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	(void)bev;
	assert_ptr_equal(arg, scene);
	scene->reads++;
}

static void
on_write(struct bufferevent *bev, void *arg)
{
	(void)bev;
	assert_ptr_equal(arg, scene);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	(void)what;
	evhttp_connection_free(arg);
}

static bool
on_whole(struct http_connection *connection, const char *data, size_t len, const struct guard_note *note,
	int64_t *ret_began_us)
{
	assert_ptr_equal(connection, scene->connection);
	assert_int_equal(note->target, 4);
	assert_memory_equal(data + len - 4, "\r\n\r\n", 4);
	*ret_began_us = clock_mono_us();
	scene->wholes++;
	return scene->takes_whole;
}

static void
on_head(struct http_connection *connection, const char *data, size_t len)
{
	assert_memory_equal(data, "POST /a ", 8);
	assert_memory_equal(data + len - 4, "\r\n\r\n", 4);
	scene->heads++;
	if (!scene->judges)
		return;
	fake_request_init(&scene->request, &scene->shared, HTTP_POST, NULL);
	scene->request.request.peer = &connection->peer;
	connection->early = &scene->request.request;
}

static bool
take_room(void *arg, uint64_t bytes)
{
	assert_ptr_equal(arg, scene);
	if (bytes > scene->room)
		return false;
	scene->room -= bytes;
	return true;
}

static void
give_room(void *arg, uint64_t bytes)
{
	assert_ptr_equal(arg, scene);
	scene->room += bytes;
}

static unsigned
room_retry_after(void *arg)
{
	(void)arg;
	return 10;
}

static void
on_close(struct http_connection *connection)
{
	assert_ptr_equal(connection, scene->connection);
	scene->connection = NULL;
}

static int
start(void **state)
{
	int fds[2];

	scene = xcalloc(1, sizeof *scene);
	*state = scene;
	clock_hold(HELD_MS, 0);
	scene->room = 1000000;
	scene->base = loop_new();
	http_shared_init(&scene->shared);
	scene->env = (struct connection_env){
		.base = scene->base,
		.limits = {.max_target_bytes = 100,
			.max_line_bytes = 100,
			.max_header_bytes = 1000,
			.max_header_count = 10,
			.max_chunk_ext_bytes = 10,
			.max_body_bytes = 100000},
		.header_timeout_ms = HEADER_MS,
		.idle_timeout_ms = IDLE_MS,
		.shared = &scene->shared,
		.room = {take_room, give_room, room_retry_after, scene},
		.on_whole = on_whole,
		.on_head = on_head,
		.on_close = on_close,
		.rules = connection_rules,
	};
	assert_int_equal(timers_new(NULL, &scene->env.timers), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	scene->client = fds[0];
	scene->bev = bufferevent_socket_new(scene->base, fds[1], BEV_OPT_CLOSE_ON_FREE);
	scene->connection = connection_new(&scene->env, &scene->door, scene->bev);
	bufferevent_setcb(scene->bev, on_read, on_write, on_event, scene);
	bufferevent_enable(scene->bev, EV_READ | EV_WRITE);
	assert_true(connection_adopt(scene->connection));
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	if (scene->connection)
		connection_close(scene->connection);
	assert_null(scene->connection);
	event_base_loop(scene->base, EVLOOP_NONBLOCK);
	timers_free(scene->env.timers);
	connection_env_fini(&scene->env);
	event_base_free(scene->base);
	close(scene->client);
	text_fini(&scene->received);
	http_shared_fini(&scene->shared);
	free(scene);
	clock_release();
	return 0;
}

/* Lets time pass for the timers. */
static void
pass(int64_t ms)
{
	clock_hold(clock_mono_ms() + ms, 0);
	while (timers_advance(scene->env.timers, clock_mono_ms(), 1000))
		;
}

static void
turn(void)
{
	ssize_t n;

	for (int i = 0; i < 3; i++)
		event_base_loop(scene->base, EVLOOP_NONBLOCK);
	n = recv(scene->client, text_reserve(&scene->received, 65536), 65536, 0);
	scene->received.len += n > 0 ? (size_t)n : 0;
	scene->received.data[scene->received.len] = '\0';
}

static void
say(const char *bytes)
{
	assert_int_equal(send(scene->client, bytes, strlen(bytes), MSG_NOSIGNAL), strlen(bytes));
	turn();
}

/* The table.  A way leads from CONNECTION_NEW to the state. */

enum after { CLOSED = -1, STAYS = -2 };

#define BIT(state) (1u << CONNECTION_##state)

static const struct state_case {
	enum connection_state state;
	enum connection_state way[5]; /* ended by CONNECTION_NEW */
	enum connection_owner owner;
	unsigned next;
	int deadline; /* the state after it, or an after */
} cases[] = {
	{CONNECTION_NEW, {0}, CONNECTION_OF_EVHTTP,
		BIT(HEAD) | BIT(READING) | BIT(WORKING) | BIT(ANSWERING) | BIT(IDLE), CLOSED},
	{CONNECTION_HEAD, {CONNECTION_HEAD}, CONNECTION_OF_EVHTTP_DEAF, BIT(READING) | BIT(REFUSED),
		CONNECTION_LINGERING},
	{CONNECTION_READING, {CONNECTION_READING}, CONNECTION_OF_EVHTTP,
		BIT(JUDGING) | BIT(COMPLETE) | BIT(WORKING) | BIT(REFUSED), CONNECTION_LINGERING},
	{CONNECTION_JUDGING, {CONNECTION_READING, CONNECTION_JUDGING}, CONNECTION_OF_EVHTTP_DEAF,
		BIT(READING) | BIT(REFUSED), CONNECTION_LINGERING},
	{CONNECTION_COMPLETE, {CONNECTION_READING, CONNECTION_COMPLETE}, CONNECTION_OF_EVHTTP,
		BIT(WORKING) | BIT(REFUSED), CONNECTION_LINGERING},
	{CONNECTION_WORKING, {CONNECTION_READING, CONNECTION_COMPLETE, CONNECTION_WORKING},
		CONNECTION_OF_EVHTTP_DEAF, BIT(FLUSHING) | BIT(ANSWERING) | BIT(IDLE), STAYS},
	{CONNECTION_FLUSHING,
		{CONNECTION_READING, CONNECTION_COMPLETE, CONNECTION_WORKING, CONNECTION_FLUSHING},
		CONNECTION_OF_EVHTTP_DEAF, BIT(IDLE), CLOSED},
	{CONNECTION_ANSWERING, {CONNECTION_ANSWERING}, CONNECTION_OURS, BIT(IDLE), CLOSED},
	{CONNECTION_NEXT, {CONNECTION_IDLE, CONNECTION_NEXT}, CONNECTION_OF_EVHTTP,
		BIT(HEAD) | BIT(READING) | BIT(WORKING) | BIT(ANSWERING) | BIT(IDLE), STAYS},
	{CONNECTION_IDLE, {CONNECTION_IDLE}, CONNECTION_OF_EVHTTP,
		BIT(HEAD) | BIT(READING) | BIT(WORKING) | BIT(ANSWERING) | BIT(NEXT) | BIT(IDLE), CLOSED},
	{CONNECTION_REFUSED, {CONNECTION_READING, CONNECTION_REFUSED}, CONNECTION_OF_EVHTTP_DEAF,
		BIT(LINGERING), CONNECTION_LINGERING},
	{CONNECTION_LINGERING, {CONNECTION_READING, CONNECTION_REFUSED, CONNECTION_LINGERING},
		CONNECTION_OURS, 0, CLOSED},
};

static void
go_to(const struct state_case *one)
{
	for (const enum connection_state *step = one->way; *step != CONNECTION_NEW; step++)
		connection_go(scene->connection, *step);
	assert_int_equal(scene->connection->state, one->state);
}

static void
check_owner(const struct state_case *one)
{
	bufferevent_data_cb reads, writes;
	bufferevent_event_cb events;
	void *arg;
	bool is_ours = one->owner == CONNECTION_OURS;

	bufferevent_getcb(scene->bev, &reads, &writes, &events, &arg);
	assert_int_equal(scene->connection->owner, one->owner);
	assert_true(reads == (one->owner == CONNECTION_OF_EVHTTP ? on_read : NULL));
	assert_true(writes == (is_ours ? connection_rules[one->state].on_write : on_write));
	assert_true(events == (is_ours ? connection_rules[one->state].on_event : on_event));
	assert_ptr_equal(arg, is_ours ? (void *)scene->connection : (void *)scene);
}

static void
check_case(const struct state_case *one)
{
	go_to(one);
	check_owner(one);
	assert_int_equal(connection_rules[one->state].next, one->next);
	connection_rules[one->state].on_deadline(scene->connection);
	if (one->deadline == CLOSED)
		assert_null(scene->connection);
	else
		assert_int_equal(
			scene->connection->state, one->deadline == STAYS ? (int)one->state : one->deadline);
}

/* An idle connection has been idle for long enough here. */
static void
test_table(void **state)
{
	assert_int_equal(sizeof cases / sizeof *cases, CONNECTION_STATE_COUNT);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (i > 0) {
			stop(state);
			start(state);
		}
		check_case(&cases[i]);
	}
}

/* The ways of requests. */

#define GET_A "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
#define POST_HEAD "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n"

static void
check_state(enum connection_state state)
{
	assert_non_null(scene->connection);
	assert_int_equal(scene->connection->state, state);
}

static void
drop_input(void)
{
	evbuffer_drain(
		bufferevent_get_input(scene->bev), evbuffer_get_length(bufferevent_get_input(scene->bev)));
}

/* In pieces, to evhttp; then its reply, and the next request, which was there already. */
static void
test_by_evhttp(void **state)
{
	struct fake_request *fake = &scene->working;

	(void)state;
	fake_request_init(fake, &scene->shared, HTTP_GET, NULL);
	say("GET /a HTTP");
	check_state(CONNECTION_HEAD);
	assert_int_equal(scene->reads, 0);
	say("/1.1\r\nHost: h\r\n\r\n");
	check_state(CONNECTION_COMPLETE);
	assert_int_equal(scene->reads, 1);
	drop_input(); /* evhttp has parsed it */
	connection_begin_request(scene->connection, &fake->request);
	connection_watch_request(scene->connection);
	say(GET_A);
	check_state(CONNECTION_WORKING);
	assert_int_equal(scene->reads, 1);
	pass(100 * HEADER_MS);
	check_state(CONNECTION_WORKING);
	scene->connection->request = NULL;
	connection_output_add(scene->connection, "reply", 5);
	connection_go(scene->connection, CONNECTION_FLUSHING);
	turn();
	assert_string_equal(scene->received.data, "reply");
	check_state(CONNECTION_FLUSHING);
	connection_input_next(scene->connection);
	check_state(CONNECTION_NEXT);
	assert_int_equal(evbuffer_get_length(bufferevent_get_input(scene->bev)), 0);
	assert_int_equal(scene->wholes, 0);
	turn();
	check_state(CONNECTION_COMPLETE);
	assert_int_equal(scene->wholes, 1);
	assert_int_equal(scene->reads, 2);
}

/* Whole, to the lane, again and again; each puts the idle deadline off. */
static void
test_by_lane(void **state)
{
	(void)state;
	scene->takes_whole = true;
	for (unsigned i = 1; i <= 3; i++) {
		say(GET_A);
		check_state(CONNECTION_IDLE);
		assert_int_equal(scene->wholes, i);
		pass(IDLE_MS - 1);
	}
	assert_int_equal(scene->reads, 0);
	check_state(CONNECTION_IDLE);
	pass(1);
	assert_null(scene->connection);
}

/* The lane does not want it. */
static void
test_past_lane(void **state)
{
	(void)state;
	say(GET_A);
	assert_int_equal(scene->wholes, 1);
	check_state(CONNECTION_COMPLETE);
	assert_int_equal(scene->reads, 1);
	assert_int_equal(evbuffer_get_length(bufferevent_get_input(scene->bev)), strlen(GET_A));
}

/* Held by the lane, with a next request behind it; the client has its answers in order. */
static void
test_held_by_lane(void **state)
{
	struct fake_request *fake = &scene->working;

	(void)state;
	fake_request_init(fake, &scene->shared, HTTP_GET, NULL);
	connection_begin_request(scene->connection, &fake->request);
	check_state(CONNECTION_WORKING);
	say(GET_A);
	assert_int_equal(scene->reads, 0);
	connection_output_hold(scene->connection);
	connection_output_add(scene->connection, "answer", 6);
	check_state(CONNECTION_ANSWERING);
	connection_output_end(scene->connection);
	check_state(CONNECTION_ANSWERING);
	turn();
	assert_string_equal(scene->received.data, "answer");
	turn();
	check_state(CONNECTION_COMPLETE);
	assert_int_equal(scene->reads, 1);
}

/* More than is read ahead waits in the socket. */
static void
test_read_ahead(void **state)
{
	struct fake_request *fake = &scene->working;
	struct text many = {0};

	(void)state;
	fake_request_init(fake, &scene->shared, HTTP_GET, NULL);
	connection_begin_request(scene->connection, &fake->request);
	while (many.len < 4 * PIPELINE_BYTES)
		text_add_string(&many, GET_A);
	assert_int_equal(send(scene->client, many.data, many.len, MSG_NOSIGNAL), many.len);
	for (int i = 0; i < 100; i++)
		turn();
	size_t len = evbuffer_get_length(bufferevent_get_input(scene->bev));
	assert_true(len > PIPELINE_BYTES && len < 2 * PIPELINE_BYTES);
	text_fini(&many);
}

/* A request that the guard refuses: the refusal goes out, and the rest is dropped. */
static void
test_refused(void **state)
{
	(void)state;
	say("GET /a HTTP/1.1\r\nHost : h\r\n");
	check_state(CONNECTION_REFUSED);
	pass(1);
	turn();
	check_state(CONNECTION_LINGERING);
	assert_memory_equal(scene->received.data, "HTTP/1.1 400 ", 13);
	say("more of the same");
	assert_int_equal(evbuffer_get_length(bufferevent_get_input(scene->bev)), 0);
	pass(LINGER_MS);
	assert_null(scene->connection);
}

static void
test_late_head(void **state)
{
	(void)state;
	say("GET /a HTTP");
	pass(HEADER_MS);
	turn();
	assert_memory_equal(scene->received.data, "HTTP/1.1 408 ", 13);
	check_state(CONNECTION_LINGERING);
}

/* A body may take long as long as it comes; the first interval that is too slow ends it. */
static void
test_slow_body(void **state)
{
	char piece[600];

	(void)state;
	memset(piece, 'x', sizeof piece - 1);
	piece[sizeof piece - 1] = '\0';
	say("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 90000\r\n\r\n");
	for (int i = 0; i < 5; i++) {
		say(piece);
		pass(HEADER_MS);
		check_state(CONNECTION_READING);
	}
	say("x");
	pass(HEADER_MS);
	check_state(CONNECTION_LINGERING);
}

/* A head that is judged: evhttp hears nothing before it is found good. */
static void
test_judged_good(void **state)
{
	(void)state;
	scene->judges = true;
	say(POST_HEAD);
	check_state(CONNECTION_JUDGING);
	assert_int_equal(scene->heads, 1);
	say("hello");
	check_state(CONNECTION_JUDGING);
	assert_int_equal(scene->reads, 0);
	scene->connection->early = NULL;
	connection_input_resume(scene->connection);
	turn();
	check_state(CONNECTION_COMPLETE);
	assert_true(scene->reads > 0);
	connection_input_resume(scene->connection);
	check_state(CONNECTION_COMPLETE);
}

/* A head is judged once it is whole, however many pieces it came in, also behind another request. */
static void
test_judged_in_pieces(void **state)
{
	struct fake_request *fake = &scene->working;
	const char *head = POST_HEAD;
	char byte[2] = {0};

	(void)state;
	scene->judges = true;
	for (; head[1]; head++) {
		byte[0] = *head;
		say(byte);
		check_state(CONNECTION_HEAD);
	}
	assert_int_equal(scene->heads, 0);
	say(head);
	check_state(CONNECTION_JUDGING);
	assert_int_equal(scene->heads, 1);
	assert_int_equal(scene->reads, 0);
	stop(state);
	start(state);
	fake = &scene->working;
	scene->judges = true;
	fake_request_init(fake, &scene->shared, HTTP_GET, NULL);
	connection_begin_request(scene->connection, &fake->request);
	say("POST /a HTTP/1.1\r\n");
	scene->connection->request = NULL;
	connection_output_end(scene->connection);
	check_state(CONNECTION_NEXT);
	say("Host: h\r\nContent-Length: 5\r\n\r\n");
	check_state(CONNECTION_JUDGING);
	assert_int_equal(scene->heads, 1);
	assert_int_equal(scene->reads, 0);
}

/* The host of an absolute target is kept for the request, and evhttp sees a path. */
static void
test_absolute_target(void **state)
{
	(void)state;
	say("GET http://");
	say("other:8");
	say("1/a HTTP/1.1\r\nHost: h\r\n\r\n");
	check_state(CONNECTION_COMPLETE);
	assert_string_equal(scene->connection->host.data, "other:81");
	assert_int_equal(evbuffer_get_length(bufferevent_get_input(scene->bev)), strlen(GET_A));
}

/* A refusal is told with what was read of the request. */
static void
test_refused_seen(void **state)
{
	static const struct {
		const char *wire;
		enum http_method method;
		const char *path;
		const char *id; /* NULL: one of ours */
	} seen[] = {
		{"G\t", 0, "", NULL},
		{"GET /a\t", HTTP_GET, "/a", NULL},
		{"PUT /a?b HTTP/1.1\r\nX-Request-Id: mine\r\n:", HTTP_PUT, "/a", "mine"},
		{"PUT http://h/a HTTP/1.1\r\nX-Request-Id: mi\r:", HTTP_PUT, "/a", NULL},
		{"POST /a HTTP/1.1\r\nHost: h\r\nX-Request-Id:\t mine \r\nTransfer-Encoding: "
		 "chunked\r\n\r\nx",
			HTTP_POST, "/a", "mine"},
	};

	for (size_t i = 0; i < sizeof seen / sizeof *seen; i++) {
		stop(state);
		start(state);
		say(seen[i].wire);
		check_state(CONNECTION_REFUSED);
		assert_int_equal(scene->connection->seen->method, seen[i].method);
		assert_string_equal(scene->connection->seen->path, seen[i].path);
		if (seen[i].id)
			assert_string_equal(scene->connection->seen->id, seen[i].id);
		else
			assert_int_equal(strlen(scene->connection->seen->id), 16);
	}
}

static void
test_judged_bad(void **state)
{
	struct text reply = {0};

	(void)state;
	scene->judges = true;
	say(POST_HEAD);
	text_add_string(&reply, "no");
	connection_refusal_begin(scene->connection, &reply);
	check_state(CONNECTION_REFUSED);
	assert_null(scene->connection->early);
	assert_null(scene->request.request.peer);
	pass(1);
	turn();
	assert_string_equal(scene->received.data, "no");
	assert_int_equal(scene->reads, 0);
	say("hello");
	check_state(CONNECTION_LINGERING);
	pass(LINGER_MS);
	check_state(CONNECTION_LINGERING);
	pass(10000 - LINGER_MS);
	assert_null(scene->connection);
	text_fini(&reply);
}

/* The judgement comes too late: it reaches nobody. */
static void
test_judged_late(void **state)
{
	(void)state;
	scene->judges = true;
	say(POST_HEAD);
	pass(HEADER_MS);
	check_state(CONNECTION_LINGERING);
	assert_null(scene->connection->early);
	assert_null(scene->request.request.peer);
}

static void
count_gone(struct http_request *request)
{
	++*(unsigned *)request->arg;
}

/* Bytes of a body are counted as they come, and no longer once the connection is gone. */
static void
test_room(void **state)
{
	(void)state;
	scene->room = 10;
	say("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 50\r\n\r\nabc");
	assert_int_equal(scene->room, 7);
	say("hello");
	assert_int_equal(scene->room, 2);
	check_state(CONNECTION_READING);
	unsigned reads = scene->reads;
	say("too");
	assert_int_equal(scene->room, 2);
	check_state(CONNECTION_REFUSED);
	assert_int_equal(scene->reads, reads);
	pass(1);
	turn();
	assert_memory_equal(scene->received.data, "HTTP/1.1 503 ", 13);
	assert_non_null(strstr(scene->received.data, "\r\nRetry-After: 10\r\n"));
	connection_close(scene->connection);
	assert_int_equal(scene->room, 10);
}

/* There is no room for the first bytes: the head is not judged. */
static void
test_no_room(void **state)
{
	(void)state;
	scene->room = 1;
	scene->judges = true;
	say(POST_HEAD "ab");
	check_state(CONNECTION_REFUSED);
	assert_int_equal(scene->heads, 0);
}

/* The client leaves while its request is with the handler. */
static void
test_leaving(void **state)
{
	struct fake_request *fake = &scene->working;
	unsigned gone = 0;

	(void)state;
	fake_request_init(fake, &scene->shared, HTTP_GET, NULL);
	fake->request.peer = &scene->connection->peer;
	fake->request.on_gone = count_gone;
	fake->request.arg = &gone;
	assert_ptr_equal(connection_of(&fake->request), scene->connection);
	connection_begin_request(scene->connection, &fake->request);
	connection_watch_request(scene->connection);
	shutdown(scene->client, SHUT_WR);
	turn();
	assert_null(scene->connection);
	assert_int_equal(gone, 1);
	assert_null(connection_of(&fake->request));
}

/* A drain closes connections without a request, and others after their reply. */
static void
test_drained(void **state)
{
	struct fake_request *fake;

	connection_drain(scene->connection);
	assert_null(scene->connection);
	stop(state);
	start(state);
	fake = &scene->working;
	fake_request_init(fake, &scene->shared, HTTP_GET, NULL);
	connection_begin_request(scene->connection, &fake->request);
	connection_drain(scene->connection);
	check_state(CONNECTION_WORKING);
	assert_true(scene->connection->is_closing);
	connection_output_end(scene->connection);
	assert_null(scene->connection);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_table, start, stop),
		cmocka_unit_test_setup_teardown(test_by_evhttp, start, stop),
		cmocka_unit_test_setup_teardown(test_by_lane, start, stop),
		cmocka_unit_test_setup_teardown(test_past_lane, start, stop),
		cmocka_unit_test_setup_teardown(test_held_by_lane, start, stop),
		cmocka_unit_test_setup_teardown(test_read_ahead, start, stop),
		cmocka_unit_test_setup_teardown(test_refused, start, stop),
		cmocka_unit_test_setup_teardown(test_late_head, start, stop),
		cmocka_unit_test_setup_teardown(test_slow_body, start, stop),
		cmocka_unit_test_setup_teardown(test_judged_good, start, stop),
		cmocka_unit_test_setup_teardown(test_judged_in_pieces, start, stop),
		cmocka_unit_test_setup_teardown(test_absolute_target, start, stop),
		cmocka_unit_test_setup_teardown(test_refused_seen, start, stop),
		cmocka_unit_test_setup_teardown(test_judged_bad, start, stop),
		cmocka_unit_test_setup_teardown(test_judged_late, start, stop),
		cmocka_unit_test_setup_teardown(test_room, start, stop),
		cmocka_unit_test_setup_teardown(test_no_room, start, stop),
		cmocka_unit_test_setup_teardown(test_leaving, start, stop),
		cmocka_unit_test_setup_teardown(test_drained, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
