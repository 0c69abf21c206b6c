/*
 * The fast lane: a server whose targets it may call answers byte for byte as one whose targets leave all to
 * evhttp, but for the date and the request's id.  A table of polls goes through both whole and split at every
 * byte, the guard's corpus whole and split at the ends of its requests.
 */
#include "common/clock.h"
#include "common/loop/timer.h"
#include "http/message/reply.h"
#include "http/message/site.h"
#include "http/server.h"
#include "http/transport/lane.h"
#include "tests/unit/server/http/guard/guard_corpus.h"
#include "tests/unit/server/http/guard/guard_trace.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

enum { PATIENCE_S = 20, BIG_BYTES = 8 << 20 };

/* One server and what it did. */
struct side {
	struct http_server *http;
	struct sockaddr_in address;
	unsigned by_lane;	/* answered where their bytes came in */
	unsigned replies;	/* that on_reply has counted */
	uint64_t replied_bytes; /* of their bodies */
	struct router *router;
	struct http_target any, later, big, held;
};

struct sides {
	struct event_base *base;
	struct timers *timers;
	struct blob *big_blob;
	struct http_request *waiting; /* with the handler that replies later */
	bool keeps_waiting;	      /* until reply_waiting */
	unsigned left;		      /* requests whose client did not wait */
	struct side open, closed;
};

static struct side *current; /* the one that the client is connected to */

static void
tell_field(const char *value, void *arg)
{
	text_addf(arg, "[%s]", value);
}

/* Says all that a handler can know of a request. */
static void
on_any(struct http_request *request, void *arg)
{
	struct text told = {0};
	struct fields fields = {0};
	const char *host = http_request_field(request, "host");

	(void)arg;
	text_addf(&told, "%s %.*s ? %s; ", http_method_name(request->method), (int)request->path_len,
		request->path, request->query ? request->query : "-");
	text_addf(&told, "%s, %s, %s; ", host ? host : "-", http_request_scheme(request),
		http_request_remote_address(request));
	http_request_each_field(request, "Prefer", tell_field, &told);
	http_request_copy_fields(request, &fields);
	text_add(&told, fields.wire, fields.len);
	for (size_t i = 0; i < request->match.param_count; i++)
		text_addf(&told, "%.*s,", (int)request->match.params[i].value_len,
			request->match.params[i].value);
	fields_fini(&fields);
	fields_put(&fields, "X-Told", "all");
	request->is_not_stored = true;
	char *problem = http_request_query(request, "problem");
	if (problem)
		reply_problemf(request, PROBLEM_NOT_FOUND, "%s", told.data);
	else
		reply_bytes(request, 200, &fields, told.data, told.len);
	free(problem);
	fields_fini(&fields);
	text_fini(&told);
}

static bool
answer_any(struct http_request *request, void *arg)
{
	assert_true(lane_has(request));
	current->by_lane++;
	on_any(request, arg);
	return true;
}

static bool
answer_never(struct http_request *request, void *arg)
{
	(void)request;
	(void)arg;
	return false;
}

/* The client has left; the reply reaches nobody. */
static void
on_left(struct http_request *request)
{
	struct sides *sides = request->arg;

	assert_ptr_equal(request, sides->waiting);
	sides->waiting = NULL;
	sides->left++;
	reply_bytes(request, 503, NULL, NULL, 0);
}

static void
reply_waiting(struct sides *sides)
{
	struct http_request *request = sides->waiting;

	sides->waiting = NULL;
	request->on_gone = NULL;
	if (memmem(request->path, request->path_len, "big", 3))
		reply_blob(request, 200, NULL, sides->big_blob);
	else
		on_any(request, NULL);
}

static void
on_later(evutil_socket_t fd, short what, void *arg)
{
	struct sides *sides = arg;

	(void)fd;
	(void)what;
	if (sides->waiting)
		reply_waiting(sides);
}

/* Replies in a later turn of the loop, or at once where the query says so. */
static void
on_held(struct http_request *request, void *arg)
{
	struct sides *sides = arg;
	struct timeval now = {0};

	current->by_lane += lane_has(request);
	if (request->query && strcmp(request->query, "now") == 0) {
		on_any(request, NULL);
		return;
	}
	assert_null(sides->waiting);
	sides->waiting = request;
	request->arg = sides;
	request->on_gone = on_left;
	if (!sides->keeps_waiting)
		event_base_once(sides->base, -1, EV_TIMEOUT, on_later, sides, &now);
}

static void
on_big(struct http_request *request, void *blob)
{
	reply_blob(request, 200, NULL, blob);
}

static bool
answer_big(struct http_request *request, void *blob)
{
	current->by_lane++;
	on_big(request, blob);
	return true;
}

static void
on_reply(void *arg, const struct http_request *request, int status, uint64_t body_bytes)
{
	struct side *side = arg;

	(void)request;
	(void)status;
	side->replies++;
	side->replied_bytes += body_bytes;
}

/* A side's targets: the lane may call them, or has nothing to call. */
static void
add_targets(struct sides *sides, struct side *side, bool has_lane)
{
	struct router *router = side->router = router_new();

	side->any = (struct http_target){.handler = on_any, .answer_now = has_lane ? answer_any : NULL};
	side->later = (struct http_target){.handler = on_any, .answer_now = has_lane ? answer_never : NULL};
	side->big = (struct http_target){
		.handler = on_big, .arg = sides->big_blob, .answer_now = has_lane ? answer_big : NULL};
	side->held = (struct http_target){.handler = on_held, .arg = sides, .is_by_lane = has_lane};
	assert_int_equal(router_add(router, "/held/{rest...}", HTTP_GET | HTTP_POST, &side->held), 0);
	assert_int_equal(router_add(router, "/later", HTTP_GET, &side->later), 0);
	assert_int_equal(router_add(router, "/big", HTTP_GET, &side->big), 0);
	assert_int_equal(router_add(router, "/{one}", HTTP_GET | HTTP_POST, &side->any), 0);
	assert_int_equal(router_add(router, "/", HTTP_GET, &side->any), 0);
	assert_int_equal(router_add(router, "/poll/{rest...}", HTTP_GET, &side->any), 0);
}

/* The names in the corpus. */
static const char *const hosts[] = {
	"a", "b", "c", "u", "ia", "example.com", "api.example.com", "a.example", NULL};
static const struct http_site site = {.hosts = (char **)(uintptr_t)hosts};

static void
start_side(struct sides *sides, struct side *side, bool has_lane)
{
	char *address = NULL;
	struct http_config config = {
		.limits = guard_corpus_limits,
		.header_timeout_ms = PATIENCE_S * 1000,
		.idle_timeout_ms = PATIENCE_S * 1000,
		.on_reply = on_reply,
		.arg = side,
	};

	assert_int_equal(http_server_new(sides->base, sides->timers, &config, &side->http), 0);
	assert_int_equal(http_server_listen(side->http, "127.0.0.1:0", NULL, &address), 0);
	add_targets(sides, side, has_lane);
	http_server_set_site(side->http, &site);
	http_server_set_router(side->http, side->router);
	side->address = (struct sockaddr_in){.sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(strrchr(address, ':') + 1)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	free(address);
}

static int
start_sides(void **state)
{
	struct sides *sides = xcalloc(1, sizeof *sides);
	struct text big = {0};

	signal(SIGPIPE, SIG_IGN);
	sides->base = event_base_new();
	assert_int_equal(timers_new(sides->base, &sides->timers), 0);
	memset(text_reserve(&big, BIG_BYTES), 'b', BIG_BYTES);
	big.len = BIG_BYTES;
	sides->big_blob = blob_new(big.data, big.len);
	text_fini(&big);
	start_side(sides, &sides->open, true);
	start_side(sides, &sides->closed, false);
	*state = sides;
	return 0;
}

static int
stop_sides(void **state)
{
	struct sides *sides = *state;

	http_server_free(sides->open.http);
	http_server_free(sides->closed.http);
	router_free(sides->open.router);
	router_free(sides->closed.router);
	blob_unref(sides->big_blob);
	timers_free(sides->timers);
	event_base_free(sides->base);
	free(sides);
	libevent_global_shutdown();
	return 0;
}

/* A client's side of a conversation. */
struct client {
	struct sides *sides;
	int fd;
	struct text answers;
	bool gone;
};

static void
open_client(struct client *client, struct sides *sides, struct side *side)
{
	*client = (struct client){.sides = sides, .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	current = side;
	assert_true(client->fd >= 0);
	assert_int_equal(connect(client->fd, (struct sockaddr *)&side->address, sizeof side->address), 0);
	assert_int_equal(fcntl(client->fd, F_SETFL, O_NONBLOCK), 0);
}

static void
close_client(struct client *client)
{
	close(client->fd);
	text_fini(&client->answers);
}

/* A pass of the server's loop, and what the client then has to read. */
static void
turn(struct client *client, int wait_ms)
{
	struct pollfd polled = {.fd = client->fd, .events = POLLIN};
	ssize_t n = 1;

	event_base_loop(client->sides->base, EVLOOP_NONBLOCK);
	if (poll(&polled, 1, wait_ms) <= 0)
		return;
	while (n > 0) {
		n = recv(client->fd, text_reserve(&client->answers, 65536), 65536, 0);
		client->answers.len += n > 0 ? (size_t)n : 0;
	}
	client->gone = n == 0 || errno != EAGAIN;
}

static void
send_all(struct client *client, const char *data, size_t len)
{
	while (len > 0 && !client->gone) {
		ssize_t n = send(client->fd, data, len, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			return; /* refused and closed: the answer may still be read */
		data += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
		turn(client, 0);
	}
}

static unsigned
count(const struct text *text, const char *word)
{
	unsigned found = 0;
	size_t len = strlen(word);
	const char *at = text->data, *end = at + text->len;

	while (text->len > 0 && (at = memmem(at, (size_t)(end - at), word, len))) {
		found++;
		at += len;
	}
	return found;
}

/* Cuts out whatever lies between begin and end, these included. */
static void
cut(struct text *text, const char *begin, const char *end)
{
	char *at;

	while (text->len > 0 && (at = memmem(text->data, text->len, begin, strlen(begin)))) {
		char *rest = at + strlen(begin);
		char *after = memmem(rest, text->len - (size_t)(rest - text->data), end, strlen(end));
		assert_non_null(after);
		after += strlen(end);
		memmove(at, after, text->len - (size_t)(after - text->data));
		text->len -= (size_t)(after - at);
	}
}

/* What is answered to wire, sent in two pieces, without what may differ. */
static void
converse(struct sides *sides, struct side *side, const char *wire, size_t len, size_t split, unsigned answers,
	struct text *ret_answers)
{
	int64_t until_ms = clock_mono_ms() + PATIENCE_S * 1000;
	struct client client;

	open_client(&client, sides, side);
	send_all(&client, wire, split);
	for (int i = 0; split > 0 && i < 3; i++)
		turn(&client, 0);
	send_all(&client, wire + split, len - split);
	while (!client.gone && count(&client.answers, "HTTP/1.1 ") < answers) {
		turn(&client, 1);
		assert_true(clock_mono_ms() < until_ms);
	}
	shutdown(client.fd, SHUT_WR);
	while (!client.gone) {
		turn(&client, 1);
		assert_true(clock_mono_ms() < until_ms);
	}
	cut(&client.answers, "HTTP/1.1 100 Continue", "\r\n\r\n");
	cut(&client.answers, "\r\nDate: ", "GMT");
	cut(&client.answers, "\r\nX-Request-Id: ", "\r");
	*ret_answers = client.answers;
	client.answers = (struct text){0};
	close_client(&client);
}

static void
check_split(
	struct sides *sides, const char *name, const char *wire, size_t len, size_t split, unsigned answers)
{
	struct text open, closed;
	unsigned open_before = sides->open.replies, closed_before = sides->closed.replies;

	converse(sides, &sides->open, wire, len, split, answers, &open);
	converse(sides, &sides->closed, wire, len, split, answers, &closed);
	if (open.len != closed.len || (open.len > 0 && memcmp(open.data, closed.data, open.len) != 0))
		fail_msg("%s split at %zu: \"%.*s\" instead of \"%.*s\"", name, split, (int)open.len,
			open.data, (int)closed.len, closed.data);
	assert_int_equal(sides->open.replies - open_before, sides->closed.replies - closed_before);
	assert_int_equal(sides->open.replied_bytes, sides->closed.replied_bytes);
	assert_int_equal(http_server_requests(sides->open.http), 0);
	text_fini(&open);
	text_fini(&closed);
}

#define HOST "Host: localhost:80\r\n"

/* Requests, and whether the lane answers them, or the last of them, when they come whole. */
static const struct {
	const char *wire;
	bool by_lane;
} polls[] = {
	{"GET / HTTP/1.1\r\n" HOST "\r\n", true},
	{"GET /x?a=b&c=%20 HTTP/1.1\r\n" HOST "\r\n", true},
	{"GET /x? HTTP/1.1\r\n" HOST "\r\n", true},
	{"HEAD /x HTTP/1.1\r\n" HOST "\r\n", true},
	{"GET /poll/a/b%2Fc HTTP/1.1\r\n" HOST "\r\n", true},
	{"GET /x?problem=1 HTTP/1.1\r\n" HOST "\r\n", true},
	{"GET /x HTTP/1.1\r\nhOsT: localhost\r\nAccept:*/*\r\nX-Empty:\r\nX-Blank:   \r\nPrefer: a\r\n"
	 "Prefer:  wait=5 \t \r\n\r\n",
		true},
	{"GET /x HTTP/1.1\r\n" HOST "X-Request-Id: abc\r\n\r\n", true},
	{"GET /x HTTP/1.1\r\n" HOST "X-Request-Id: a b\r\n\r\n", true},
	{"GET /x HTTP/1.1\r\n" HOST "Connection: keep-alive\r\n\r\n", true},
	{"GET /x HTTP/1.1\r\n" HOST "X-High: \xc3\xa4\xff\r\n\r\n", true},
	{"GET /held/x?a=b HTTP/1.1\r\n" HOST "X-Request-Id: abc\r\nPrefer: a\r\n\r\n", true},
	{"HEAD /held/x HTTP/1.1\r\n" HOST "\r\n", true},
	{"GET /held/x?now HTTP/1.1\r\n" HOST "\r\n", true},
	{"GET /held/x?problem=1 HTTP/1.1\r\n" HOST "\r\n", true},

	{"GET /x HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", false},
	{"GET /x HTTP/1.1\r\n" HOST "Connection: te, Close\r\n\r\n", false},
	{"GET /x HTTP/1.0\r\n" HOST "\r\n", false},
	{"GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false},
	{"GET /x HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", false},
	{"GET /x HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", false},
	{"GET /x HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false},
	{"GET /x HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n\r\n", false},
	{"\r\nGET /x HTTP/1.1\r\n" HOST "\r\n", false},
	{"GET /x HTTP/1.1\r\n" HOST "X-Tab: \tb\r\n\r\n", false},
	{"POST /x HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}", false},
	{"GET /later HTTP/1.1\r\n" HOST "\r\n", false},
	{"GET /no/way HTTP/1.1\r\n" HOST "\r\n", false},
	{"DELETE /x HTTP/1.1\r\n" HOST "\r\n", false},
	{"GET /x HTTP/1.1\r\n\r\n", false},
	{"GET /x HTTP/1.1\r\n" HOST HOST "\r\n", false},
	{"GET /1 HTTP/1.1\r\n" HOST "\r\nGET /2 HTTP/1.1\r\n" HOST "\r\n", true},
	{"GET /1 HTTP/1.1\r\n" HOST "\r\nGET /2 HT", false},
	{"GET /held/x HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", false},
	{"POST /held/x HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}", false},
	{"GET /held/1 HTTP/1.1\r\n" HOST "\r\nGET /held/2?now HTTP/1.1\r\n" HOST
	 "\r\nHEAD /3 HTTP/1.1\r\n" HOST "\r\n",
		true},
	{"GET /later HTTP/1.1\r\n" HOST "\r\nGET /2 HTTP/1.1\r\n" HOST "\r\nHEAD /3 HTTP/1.1\r\n" HOST "\r\n",
		true},
	{"GET /x?a=x^2&b=`\\&c=% HTTP/1.1\r\n" HOST "\r\n", false},
	{"GET /poll/[a]|^ HTTP/1.1\r\n" HOST "\r\n", false},
	{"POST /x?% HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}", false},
	{"GET http://b:81/x?a HTTP/1.1\r\n" HOST "\r\n", false},
	{"HEAD HTTPS://b HTTP/1.1\r\n" HOST "\r\n", false},
	{"GET http://b/held/x HTTP/1.0\r\n\r\n", false},
	{"POST http://b/x HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}", false},
	{"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", false},
};

static void
check_wire(struct sides *sides, const char *name, const char *wire, size_t len, bool everywhere)
{
	struct guard_trace trace;

	guard_trace_init(&trace, &guard_corpus_limits);
	guard_trace_feed(&trace, wire, len);
	unsigned answers = trace.end_count + trace.refused;
	check_split(sides, name, wire, len, 0, answers);
	for (size_t at = 1; everywhere && at < len; at++)
		check_split(sides, name, wire, len, at, answers);
	for (unsigned i = 0; !everywhere && i < trace.end_count && i < 4; i++)
		if (trace.ends[i] < len)
			check_split(sides, name, wire, len, trace.ends[i], answers);
	guard_trace_fini(&trace);
}

static void
test_polls(void **state)
{
	struct sides *sides = *state;

	for (size_t i = 0; i < sizeof polls / sizeof *polls; i++) {
		const char *wire = polls[i].wire;
		unsigned before = sides->open.by_lane;
		check_split(sides, wire, wire, strlen(wire), 0, 1);
		if (sides->open.by_lane - before != polls[i].by_lane)
			fail_msg("%s: %u by the lane", wire, sides->open.by_lane - before);
		check_wire(sides, wire, wire, strlen(wire), true);
	}
	assert_int_equal(sides->closed.by_lane, 0);
}

/* Heads at the sizes from which on they are not the lane's. */
static void
test_large_heads(void **state)
{
	struct sides *sides = *state;

	for (unsigned fields = GUARD_NOTE_FIELDS - 2; fields <= GUARD_NOTE_FIELDS + 1; fields++) {
		struct text wire = {0};
		unsigned before = sides->open.by_lane;
		text_add_string(&wire, "GET /x HTTP/1.1\r\nHost: localhost\r\n");
		for (unsigned i = 1; i < fields; i++)
			text_addf(&wire, "X-%u: %u\r\n", i, i);
		text_add_string(&wire, "\r\n");
		check_split(sides, "fields", wire.data, wire.len, 0, 1);
		assert_int_equal(sides->open.by_lane - before, fields <= GUARD_NOTE_FIELDS);
		text_fini(&wire);
	}
	for (size_t len = 1900; len < 2100; len += 1) {
		struct text wire = {0};
		text_add_string(&wire, "GET /x HTTP/1.1\r\nHost: localhost\r\nX-Long: ");
		while (wire.len < len)
			text_add_char(&wire, 'a');
		text_add_string(&wire, "\r\n\r\n");
		check_split(sides, "long", wire.data, wire.len, 0, 1);
		text_fini(&wire);
	}
}

static void
check_file(void *arg, const char *name, const char *wire, size_t len)
{
	check_wire(arg, name, wire, len, false);
}

static void
test_corpus(void **state)
{
	guard_corpus_each(check_file, *state);
}

/* An answer that the socket does not take whole, with requests behind it that must wait for it. */
static void
test_short_send(void **state)
{
	struct sides *sides = *state;
	int64_t until_ms = clock_mono_ms() + PATIENCE_S * 1000;
	static const char first[] = "GET /big HTTP/1.1\r\n" HOST "\r\n";
	static const char rest[] = "GET /1 HTTP/1.1\r\n" HOST "\r\nHEAD /2 HTTP/1.1\r\n" HOST "\r\n";
	unsigned before = sides->open.by_lane;
	struct client client;

	open_client(&client, sides, &sides->open);
	assert_int_equal(send(client.fd, first, strlen(first), 0), strlen(first));
	while (sides->open.by_lane == before)
		event_base_loop(sides->base, EVLOOP_NONBLOCK);
	assert_int_equal(send(client.fd, rest, strlen(rest), 0), strlen(rest));
	for (int i = 0; i < 3; i++)
		event_base_loop(sides->base, EVLOOP_NONBLOCK);
	while (count(&client.answers, "HTTP/1.1 200") < 3) {
		turn(&client, 1);
		assert_true(!client.gone && clock_mono_ms() < until_ms);
	}
	const char *body = strstr(client.answers.data, "\r\n\r\n") + 4;
	assert_int_equal(strspn(body, "b"), BIG_BYTES);
	assert_int_equal(strncmp(body + BIG_BYTES, "HTTP/1.1 200 OK\r\n", 17), 0);
	assert_non_null(strstr(body + BIG_BYTES, "GET /1 "));
	/* And from then on it is the lane's again. */
	size_t had = client.answers.len;
	before = sides->open.by_lane;
	assert_int_equal(send(client.fd, polls[0].wire, strlen(polls[0].wire), 0), strlen(polls[0].wire));
	while (client.answers.len == had) {
		turn(&client, 1);
		assert_true(!client.gone && clock_mono_ms() < until_ms);
	}
	assert_int_equal(sides->open.by_lane, before + 1);
	close_client(&client);
}

/* Sends a request that waits with its handler, by the lane, and then what follows it. */
static void
begin_waiting(struct sides *sides, struct client *client, const char *path, const char *behind)
{
	struct text wire = {0};

	sides->keeps_waiting = true;
	open_client(client, sides, &sides->open);
	text_addf(&wire, "GET /held/%s HTTP/1.1\r\n" HOST "\r\n", path);
	assert_int_equal(send(client->fd, wire.data, wire.len, 0), wire.len);
	while (!sides->waiting)
		event_base_loop(sides->base, EVLOOP_NONBLOCK);
	assert_true(lane_has(sides->waiting));
	text_clear(&wire);
	text_add_string(&wire, behind);
	if (wire.len > 0)
		send_all(client, wire.data, wire.len);
	for (int i = 0; i < 3; i++)
		turn(client, 0);
	assert_int_equal(client->answers.len, 0);
	text_fini(&wire);
}

static void
await_answers(struct client *client, unsigned answers)
{
	int64_t until_ms = clock_mono_ms() + PATIENCE_S * 1000;

	while (count(&client->answers, "HTTP/1.1 200") < answers) {
		turn(client, 1);
		assert_true(!client->gone && clock_mono_ms() < until_ms);
	}
}

/* Requests that come while one is with its handler are answered after it, in order: more of them than are
 * read ahead, too. */
static void
test_behind_held(void **state)
{
	struct sides *sides = *state;
	struct text behind = {0};
	struct client client;
	unsigned requests = 0;

	for (; behind.len < 100000; requests++)
		text_addf(&behind, "GET /%u HTTP/1.1\r\n" HOST "\r\n", requests);
	for (int is_big = 0; is_big < 2; is_big++) {
		begin_waiting(sides, &client, is_big ? "big" : "x", behind.data);
		reply_waiting(sides);
		await_answers(&client, requests + 1);
		const char *at = client.answers.data;
		for (unsigned i = 0; i < requests; i++) {
			char told[32];
			snprintf(told, sizeof told, "GET /%u ", i);
			at = strstr(at, told);
			assert_non_null(at);
		}
		/* And from then on it is the lane's again. */
		unsigned before = sides->open.by_lane;
		send_all(&client, polls[0].wire, strlen(polls[0].wire));
		await_answers(&client, requests + 2);
		assert_int_equal(sides->open.by_lane, before + 1);
		close_client(&client);
	}
	text_fini(&behind);
}

/* A client that leaves, or only shuts its side, while its request is with the handler. */
static void
test_leaving_held(void **state)
{
	struct sides *sides = *state;
	int64_t until_ms = clock_mono_ms() + PATIENCE_S * 1000;

	for (unsigned how = 0; how < 4; how++) {
		struct linger linger = {.l_onoff = 1};
		struct client client;
		begin_waiting(sides, &client, "x", how == 3 ? polls[0].wire : "");
		if (how == 1)
			setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
		if (how == 2)
			shutdown(client.fd, SHUT_WR);
		else
			close_client(&client);
		while (http_server_connections(sides->open.http) > 0) {
			event_base_loop(sides->base, EVLOOP_NONBLOCK);
			assert_true(clock_mono_ms() < until_ms);
		}
		assert_null(sides->waiting);
		assert_int_equal(sides->left, how + 1);
		assert_int_equal(http_server_requests(sides->open.http), 0);
		if (how == 2)
			close_client(&client);
	}
}

/* A server that goes down answers what is with a handler, says that it closes, and closes, whatever is
 * behind it and however long the answer. */
static void
test_draining_held(void **state)
{
	struct sides *sides = *state;
	int64_t until_ms = clock_mono_ms() + PATIENCE_S * 1000;
	struct client clients[2];
	struct http_request *requests[2];

	for (unsigned i = 0; i < 2; i++) {
		begin_waiting(sides, &clients[i], i == 0 ? "x" : "big", polls[0].wire);
		requests[i] = sides->waiting;
		sides->waiting = NULL;
	}
	http_server_drain(sides->open.http);
	for (unsigned i = 0; i < 2; i++) {
		sides->waiting = requests[i];
		reply_waiting(sides);
		while (!clients[i].gone) {
			turn(&clients[i], 1);
			assert_true(clock_mono_ms() < until_ms);
		}
		assert_non_null(strstr(clients[i].answers.data, "\r\nConnection: close\r\n"));
		assert_int_equal(count(&clients[i].answers, "HTTP/1.1 "), 1);
		close_client(&clients[i]);
	}
	assert_int_equal(http_server_connections(sides->open.http), 0);
}

/* A client that leaves while its answer is being written. */
static void
test_leaving(void **state)
{
	struct sides *sides = *state;
	int64_t until_ms = clock_mono_ms() + PATIENCE_S * 1000;
	static const char request[] = "GET /big HTTP/1.1\r\n" HOST "\r\n";

	for (int how = 0; how < 3; how++) {
		unsigned before = sides->open.by_lane;
		struct client client;
		open_client(&client, sides, &sides->open);
		assert_int_equal(send(client.fd, request, strlen(request), 0), strlen(request));
		while (sides->open.by_lane == before)
			event_base_loop(sides->base, EVLOOP_NONBLOCK);
		struct linger linger = {.l_onoff = 1};
		if (how == 0)
			setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
		if (how == 2)
			http_server_drain(sides->open.http);
		if (how == 2)
			while (!client.gone)
				turn(&client, 1);
		close_client(&client);
		while (http_server_connections(sides->open.http) > 0) {
			event_base_loop(sides->base, EVLOOP_NONBLOCK);
			assert_true(clock_mono_ms() < until_ms);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_polls, start_sides, stop_sides),
		cmocka_unit_test_setup_teardown(test_large_heads, start_sides, stop_sides),
		cmocka_unit_test_setup_teardown(test_corpus, start_sides, stop_sides),
		cmocka_unit_test_setup_teardown(test_short_send, start_sides, stop_sides),
		cmocka_unit_test_setup_teardown(test_leaving, start_sides, stop_sides),
		cmocka_unit_test_setup_teardown(test_behind_held, start_sides, stop_sides),
		cmocka_unit_test_setup_teardown(test_leaving_held, start_sides, stop_sides),
		cmocka_unit_test_setup_teardown(test_draining_held, start_sides, stop_sides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
