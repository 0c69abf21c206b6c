/* Requests: see request.h. */
#include "http/request.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "http/auth.h"
#include "http/connection.h"
#include "http/early.h"
#include "http/lane.h"
#include "http/listener.h"
#include "http/reply.h"
#include "http/tls.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

/* evhttp's methods are bits as ours are, others. */
static enum http_method
method_of(struct evhttp_request *evhttp)
{
	static const struct {
		enum evhttp_cmd_type theirs;
		enum http_method ours;
	} methods[] = {{EVHTTP_REQ_GET, HTTP_GET}, {EVHTTP_REQ_HEAD, HTTP_HEAD}, {EVHTTP_REQ_POST, HTTP_POST},
		{EVHTTP_REQ_PUT, HTTP_PUT}, {EVHTTP_REQ_PATCH, HTTP_PATCH}, {EVHTTP_REQ_DELETE, HTTP_DELETE},
		{EVHTTP_REQ_OPTIONS, HTTP_OPTIONS}};

	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (methods[i].theirs == evhttp_request_get_command(evhttp))
			return methods[i].ours;
	return 0;
}

static void
add_allow(struct fields *fields, unsigned allow)
{
	struct text value = {0};

	for (unsigned bit = 1; bit <= HTTP_OPTIONS; bit <<= 1)
		if (allow & bit)
			text_addf(&value, "%s%s", value.len ? ", " : "",
				http_method_name((enum http_method)bit));
	fields_put(fields, "Allow", value.data);
	text_fini(&value);
}

static void
reply_not_allowed(struct http_request *request)
{
	CLEANUP(fields_fini) struct fields fields = {0};
	struct problem_report report = {.problem = PROBLEM_METHOD_NOT_ALLOWED};

	add_allow(&fields, request->match.allow);
	reply_problem(request, &report, &fields);
}

void
http_request_admit(struct http_request *request)
{
	const struct router *router = request->server->router;
	int rc = router ? router_find(
				  router, request->path, request->path_len, request->method, &request->match)
			: -ENOENT;

	if (rc == -EPERM) {
		reply_not_allowed(request);
	} else if (rc < 0) {
		reply_problemf(request, PROBLEM_NOT_FOUND, "No route leads to this path.");
	} else if (request->is_early) {
		struct http_target *target = request->match.target;
		if (!target->refuse_early || !target->refuse_early(request, target->arg))
			early_pass(request);
	} else {
		struct http_target *target = request->match.target;
		target->handler(request, target->arg);
	}
}

static void
on_reply_complete(struct evhttp_request *evhttp, void *arg)
{
	(void)evhttp;
	connection_next_request(arg);
}

/* The connection that a request came on. */
static struct http_connection *
connection_of(const struct http_listener *listener, struct evhttp_request *evhttp)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(evhttp);
	int fd = bufferevent_getfd(evhttp_connection_get_bufferevent(connection));

	assert(fd >= 0 && (size_t)fd < listener->server->by_fd_size && listener->server->by_fd[fd]);
	assert(listener->server->by_fd[fd]->evhttp == connection);
	return listener->server->by_fd[fd];
}

static void
put_hex(char *at, unsigned value)
{
	for (int i = 7; i >= 0; i--, value >>= 4)
		at[i] = "0123456789abcdef"[value & 15];
}

static void
make_id(struct http_request *request)
{
	put_hex(request->id, request->server->id_prefix);
	put_hex(request->id + 8, request->server->id_count++);
	request->id[16] = '\0';
}

void
http_request_set_id(struct http_request *request)
{
	const char *given = http_request_field(request, "X-Request-Id");
	size_t len = given ? strlen(given) : 0;

	request->tells_id = given && len < sizeof request->id && text_is_token(given, len);
	if (request->tells_id)
		memcpy(request->id, given, len + 1);
	else
		make_id(request);
}

/* Whether a list of tokens, as Connection has them, names token. */
static bool
names_token(const char *list, const char *token)
{
	while (list && *list) {
		list += strspn(list, " \t,");
		size_t len = strcspn(list, " \t,");
		if (len > 0 && text_equal_nocase(list, len, token))
			return true;
		list += len;
	}
	return false;
}

bool
http_request_is_http_1_0(const struct http_request *request)
{
	return request->evhttp && request->evhttp->major == 1 && request->evhttp->minor == 0;
}

unsigned
http_request_local_port(const struct http_request *request)
{
	struct sockaddr_storage address = {0};
	socklen_t len = sizeof address;

	if (!request->connection || getsockname(bufferevent_getfd(request->connection->bev),
					    (struct sockaddr *)&address, &len) < 0)
		return 0;
	if (address.ss_family == AF_INET)
		return ntohs(((struct sockaddr_in *)&address)->sin_port);
	return address.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&address)->sin6_port) : 0;
}

bool
http_request_closes(const struct http_request *request)
{
	const char *asked = http_request_field(request, "Connection");

	if (http_request_is_http_1_0(request))
		return !asked || strcasecmp(asked, "keep-alive") != 0;
	return names_token(asked, "close");
}

void
http_request_log_in(struct http_request *request)
{
	struct auth *auth = request->server->config.auth;
	struct ssl_ctx_st *tls = request->connection->listener->tls;

	if (auth)
		auth_begin(auth, request, connection_client_name(request->connection),
			tls && tls_asks_clients(tls));
	else
		http_request_admit(request);
}

void
http_request_begin(struct evhttp_request *evhttp, void *arg)
{
	struct http_listener *listener = arg;
	struct http_server *server = listener->server;
	struct http_connection *connection = connection_of(listener, evhttp);
	struct http_request *request = xcalloc(1, sizeof *request);
	const char *target = evhttp_request_get_uri(evhttp);
	const char *question = strchr(target, '?');

	request->server = server;
	request->evhttp = evhttp;
	request->connection = connection;
	request->began_us = clock_mono_us();
	request->method = method_of(evhttp);
	request->path = target;
	request->path_len = question ? (size_t)(question - target) : strlen(target);
	request->query = question ? question + 1 : NULL;
	http_request_set_id(request);
	request->is_admin = server->config.all_admins;
	server->request_count++;
	connection_begin_request(connection, request);
	evhttp_request_set_on_complete_cb(evhttp, on_reply_complete, connection);
	server->dispatching = request;
	http_request_log_in(request);
	if (server->dispatching == request)
		connection_hold_request(connection);
	server->dispatching = NULL;
}

const char *
http_request_field(const struct http_request *request, const char *name)
{
	if (request->evhttp)
		return evhttp_find_header(evhttp_request_get_input_headers(request->evhttp), name);
	for (unsigned i = 0; request->lane && i < request->lane->count; i++)
		if (strcasecmp(request->lane->fields[i].name, name) == 0)
			return request->lane->fields[i].value;
	return NULL;
}

void
http_request_each_field(const struct http_request *request, const char *name,
	void (*fn)(const char *value, void *arg), void *arg)
{
	struct evkeyval *header;

	for (unsigned i = 0; request->lane && i < request->lane->count; i++)
		if (strcasecmp(request->lane->fields[i].name, name) == 0)
			fn(request->lane->fields[i].value, arg);
	if (!request->evhttp)
		return;
	TAILQ_FOREACH(header, evhttp_request_get_input_headers(request->evhttp), next) {
		if (strcasecmp(header->key, name) == 0)
			fn(header->value, arg);
	}
}

void
http_request_copy_fields(const struct http_request *request, struct fields *ret_fields)
{
	struct fields fields = {0};
	struct evkeyval *header;

	for (unsigned i = 0; request->lane && i < request->lane->count; i++)
		fields_put(&fields, request->lane->fields[i].name, request->lane->fields[i].value);
	if (request->evhttp) {
		TAILQ_FOREACH(header, evhttp_request_get_input_headers(request->evhttp), next)
			fields_put(&fields, header->key, header->value);
	}
	*ret_fields = fields;
}

uint64_t
http_request_announced_len(const struct http_request *request)
{
	return request->connection->guard.body_total;
}

void
http_request_limit_body(struct http_request *request, uint64_t most)
{
	guard_limit_body(&request->connection->guard, most);
}

size_t
http_request_body_len(const struct http_request *request)
{
	return request->evhttp ? evbuffer_get_length(evhttp_request_get_input_buffer(request->evhttp)) : 0;
}

int
http_request_take_body(struct http_request *request, int spool_fd, struct blob **ret_body)
{
	struct blob_sink sink;
	struct evbuffer_iovec piece;
	int rc = 0;

	if (http_request_body_len(request) == 0) {
		*ret_body = NULL;
		return 0;
	}
	struct evbuffer *input = evhttp_request_get_input_buffer(request->evhttp);
	blob_sink_init(&sink, spool_fd, UINT64_MAX);
	while (rc == 0 && evbuffer_peek(input, -1, NULL, &piece, 1) > 0) {
		rc = blob_sink_write(&sink, piece.iov_base, piece.iov_len);
		evbuffer_drain(input, piece.iov_len);
	}
	if (rc == 0)
		rc = blob_sink_finish(&sink, ret_body);
	if (rc < 0)
		blob_sink_fini(&sink);
	return rc;
}

const char *
http_request_scheme(const struct http_request *request)
{
	return request->connection && request->connection->is_tls ? "https" : "http";
}

const char *
http_request_authority(const struct http_request *request)
{
	const char *host = http_request_field(request, "Host");

	return host ? host : "localhost";
}

const char *
http_request_remote_address(const struct http_request *request)
{
	return request->connection ? request->connection->remote_address : "";
}

char *
http_request_base(const struct http_request *request)
{
	if (request->server->config.public_url)
		return xstrdup(request->server->config.public_url);
	struct text base = {0};
	text_add_string(&base, http_request_scheme(request));
	text_add_string(&base, "://");
	text_add_string(&base, http_request_authority(request));
	return text_take(&base);
}

bool
http_query_next(const char **at, struct http_query_param *ret_param)
{
	while (*at && **at == '&')
		(*at)++;
	if (!*at || !**at)
		return false;
	const char *raw = *at;
	size_t raw_len = strcspn(raw, "&");
	const char *equals = memchr(raw, '=', raw_len);
	size_t name_len = equals ? (size_t)(equals - raw) : raw_len;
	const char *value = equals ? equals + 1 : raw + raw_len;

	*ret_param = (struct http_query_param){
		.raw = raw,
		.raw_len = raw_len,
		.name = raw,
		.name_len = name_len,
		.value = value,
		.value_len = (size_t)(raw + raw_len - value),
	};
	*at = raw + raw_len;
	return true;
}

/* Decodes what the guard has found free of broken escapes. */
static char *
decode(const char *data, size_t len, bool plus)
{
	char *decoded = xcalloc(len + 1, 1);
	size_t decoded_len;

	if (text_percent_decode(data, len, plus, decoded, &decoded_len) < 0)
		decoded[0] = '\0';
	return decoded;
}

char *
http_request_query(const struct http_request *request, const char *name)
{
	const char *at = request->query;
	struct http_query_param param;

	while (http_query_next(&at, &param)) {
		CLEANUP_FREE char *decoded = decode(param.name, param.name_len, true);
		if (strcmp(decoded, name) == 0)
			return decode(param.value, param.value_len, true);
	}
	return NULL;
}

static const struct router_param *
find_param(const struct http_request *request, const char *name)
{
	for (size_t i = 0; i < request->match.param_count; i++)
		if (strcmp(request->match.params[i].name, name) == 0)
			return &request->match.params[i];
	return NULL;
}

char *
http_request_param(const struct http_request *request, const char *name)
{
	const struct router_param *param = find_param(request, name);

	return param ? decode(param->value, param->value_len, false) : NULL;
}

int
http_request_id_param(const struct http_request *request, const char *name, struct id *ret_id)
{
	const struct router_param *param = find_param(request, name);

	if (!param)
		return -EINVAL;
	if (id_parse(param->value, param->value_len, ret_id) == 0)
		return 0;
	/* Nobody escapes what needs no escape, but it may be done. */
	CLEANUP_FREE char *text = decode(param->value, param->value_len, false);
	return id_parse(text, strlen(text), ret_id);
}
