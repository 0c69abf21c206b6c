/* The way of a request to its handler: log-in, then the router, then the request's transport. */
#include "http/transport/dispatch.h"

#include "common/cleanup.h"
#include "http/connection/tls.h"
#include "http/login/auth.h"
#include "http/message/reply.h"
#include "http/message/transport.h"

#include <errno.h>

static void
add_allow(struct fields *fields, unsigned allow)
{
	CLEANUP(text_fini) struct text value = {0};

	for (unsigned bit = 1; bit <= HTTP_OPTIONS; bit <<= 1)
		if (allow & bit)
			text_addf(&value, "%s%s", value.len ? ", " : "",
				http_method_name((enum http_method)bit));
	fields_put(fields, "Allow", value.data);
}

static void
reply_not_allowed(struct http_request *request)
{
	CLEANUP(fields_fini) struct fields fields = {0};
	struct problem_report report = {.problem = PROBLEM_METHOD_NOT_ALLOWED};

	add_allow(&fields, request->match.allow);
	reply_problem(request, &report, &fields);
}

/* OPTIONS of the server itself (RFC 9110, 9.3.7): what it implements, wherever that leads. */
static void
reply_server_options(struct http_request *request)
{
	CLEANUP(fields_fini) struct fields fields = {0};

	add_allow(&fields,
		HTTP_GET | HTTP_HEAD | HTTP_POST | HTTP_PUT | HTTP_PATCH | HTTP_DELETE | HTTP_OPTIONS);
	reply_bytes(request, 204, &fields, NULL, 0);
}

static bool
is_of_server(const struct http_request *request)
{
	return request->path_len == 1 && request->path[0] == '*';
}

/* The caller is known: on to the target of the path. */
static void
route(struct http_request *request)
{
	const struct router *router = dispatch_of(request)->router;

	if (is_of_server(request)) {
		reply_server_options(request);
		return;
	}
	int rc = router ? router_find(
				  router, request->path, request->path_len, request->method, &request->match)
			: -ENOENT;

	if (rc == -EPERM)
		reply_not_allowed(request);
	else if (rc < 0)
		reply_problemf(request, PROBLEM_NOT_FOUND, "No route leads to this path.");
	else
		request->transport->admitted(request);
}

void
dispatch_init_request(struct http_request *request, struct http_connection *connection,
	const struct http_transport *transport, enum http_method method)
{
	struct dispatch *dispatch = dispatch_of_connection(connection);

	*request = (struct http_request){
		.method = method,
		.transport = transport,
		.peer = &connection->peer,
		.shared = &dispatch->shared,
		.is_admin = dispatch->all_admins,
	};
}

static struct auth_caller
caller_of(const struct http_request *request)
{
	struct http_connection *connection = connection_of(request);
	struct ssl_ctx_st *tls = connection->door->tls;
	struct auth_caller caller = {.must_log_in = tls && tls_asks_clients(tls)};

	caller.certificate_name = connection_client_name(connection, &caller.certificate_name_len);
	return caller;
}

bool
dispatch_knows(struct http_request *request)
{
	struct auth *auth = dispatch_of(request)->auth;

	if (!auth)
		return true;
	struct auth_caller caller = caller_of(request);
	return auth_knows(auth, request, &caller);
}

/* Without a log-in the name that a page has called us by is all that tells whether it may. */
static bool
has_host(const struct http_request *request)
{
	const struct dispatch *dispatch = dispatch_of(request);
	struct ssl_ctx_st *tls = connection_of(request)->door->tls;

	if ((dispatch->auth && auth_has_users(dispatch->auth)) || (tls && tls_asks_clients(tls)))
		return true;
	return site_has_host(&dispatch->site, request);
}

bool
dispatch_is_plain(const struct http_request *request)
{
	return has_host(request) && !site_is_asked(request);
}

/* Whether a browser may have sent the request; else it has been replied to. */
static bool
admits(struct http_request *request)
{
	const struct dispatch *dispatch = dispatch_of(request);

	if (!has_host(request)) {
		reply_problemf(request, PROBLEM_MISDIRECTED,
			"The server does not answer to the name in Host; the setting hosts may name it.");
		return false;
	}
	return !site_is_asked(request) || site_admits(&dispatch->site, request, dispatch->router);
}

void
dispatch_begin(struct http_request *request)
{
	struct auth *auth = dispatch_of(request)->auth;

	if (!admits(request))
		return;

	if (!auth) {
		route(request);
		return;
	}
	struct auth_caller caller = caller_of(request);
	auth_begin(auth, request, &caller, route);
}
