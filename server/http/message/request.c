/* Requests: their fields, body, parameters and origin, whichever transport they came by. */
#include "http/message/request.h"

#include "common/cleanup.h"
#include "common/text.h"
#include "http/message/query.h"
#include "http/message/shared.h"
#include "http/message/target.h"
#include "http/message/transport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void
http_request_set_target(struct http_request *request, const char *target, size_t len)
{
	request->target_memory = target_escape(target, len, &len);
	if (request->target_memory)
		target = request->target_memory;
	const char *question = memchr(target, '?', len);

	request->path = target;
	request->path_len = question ? (size_t)(question - target) : len;
	request->query = question ? question + 1 : NULL;
}

void
http_request_set_id(struct http_request *request)
{
	http_shared_choose_id(request->shared, http_request_field(request, "X-Request-Id"), request->id);
}

bool
http_request_asks_close(const struct http_request *request)
{
	const char *list = http_request_field(request, "Connection");

	while (list && *list) {
		list += strspn(list, " \t,");
		size_t len = strcspn(list, " \t,");
		if (len > 0 && text_equal_nocase(list, len, "close"))
			return true;
		list += len;
	}
	return false;
}

void
http_request_leave(struct http_request *request)
{
	http_gone_fn on_gone = request->on_gone;

	request->left = *request->peer;
	request->peer = NULL;
	if (request->transport->left)
		request->transport->left(request);
	if (on_gone)
		on_gone(request);
}

void
http_request_fini(struct http_request *request)
{
	fields_fini(&request->extra);
	free(request->principal_memory);
	free(request->target_memory);
}

const char *
http_request_field(const struct http_request *request, const char *name)
{
	return request->transport->field(request, name);
}

/* A search for the fields of one name. */
struct search {
	const char *name;
	void (*fn)(const char *value, void *arg);
	void *arg;
};

static void
take_named(const char *name, const char *value, void *arg)
{
	const struct search *search = arg;

	if (strcasecmp(name, search->name) == 0)
		search->fn(value, search->arg);
}

void
http_request_each_field(const struct http_request *request, const char *name,
	void (*fn)(const char *value, void *arg), void *arg)
{
	struct search search = {name, fn, arg};

	request->transport->each_field(request, take_named, &search);
}

static void
copy_field(const char *name, const char *value, void *fields)
{
	fields_put(fields, name, value);
}

void
http_request_copy_fields(const struct http_request *request, struct fields *ret_fields)
{
	struct fields fields = {0};

	request->transport->each_field(request, copy_field, &fields);
	*ret_fields = fields;
}

uint64_t
http_request_announced_len(const struct http_request *request)
{
	return request->transport->announced_len(request);
}

void
http_request_limit_body(struct http_request *request, uint64_t most)
{
	if (request->transport->limit_body)
		request->transport->limit_body(request, most);
}

size_t
http_request_body_len(const struct http_request *request)
{
	return request->transport->body_len(request);
}

int
http_request_take_body(struct http_request *request, int spool_fd, struct blob **ret_body)
{
	return request->transport->take_body(request, spool_fd, ret_body);
}

/* The client's end, though the client may have left. */
static const struct http_peer *
peer_of(const struct http_request *request)
{
	return request->peer ? request->peer : &request->left;
}

const char *
http_request_scheme(const struct http_request *request)
{
	return peer_of(request)->is_tls ? "https" : "http";
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
	return peer_of(request)->address;
}

bool
http_request_is_http_1_0(const struct http_request *request)
{
	return request->is_http_1_0;
}

unsigned
http_request_local_port(const struct http_request *request)
{
	return peer_of(request)->local_port;
}

char *
http_request_base(const struct http_request *request)
{
	if (request->shared->public_url)
		return xstrdup(request->shared->public_url);
	struct text base = {0};
	text_add_string(&base, http_request_scheme(request));
	text_add_string(&base, "://");
	text_add_string(&base, http_request_authority(request));
	return text_take(&base);
}

char *
http_request_query(const struct http_request *request, const char *name)
{
	return http_query_find(request->query, name);
}

static const struct router_param *
find_param(const struct http_request *request, const char *name)
{
	/* From the end: below a route with {id} in its path the last {id} is the monitor's. */
	for (size_t i = request->match.param_count; i-- > 0;)
		if (strcmp(request->match.params[i].name, name) == 0)
			return &request->match.params[i];
	return NULL;
}

char *
http_request_param(const struct http_request *request, const char *name)
{
	const struct router_param *param = find_param(request, name);

	return param ? http_query_decode(param->value, param->value_len, false) : NULL;
}

int
http_request_id_param(const struct http_request *request, const char *name, struct id *ret_id)
{
	const struct router_param *param = find_param(request, name);

	if (!param)
		return -EINVAL;
	if (id_parse(param->value, param->value_len, ret_id) == 0)
		return 0;
	/* An id needs no escapes, but a client may use them. */
	CLEANUP_FREE char *text = http_query_decode(param->value, param->value_len, false);
	return id_parse(text, strlen(text), ret_id);
}
