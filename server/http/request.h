/*
 * A request on its way to its reply.  evhttp has read it whole, the guard has passed it; whoever gets one
 * answers it exactly once with a reply_* call (reply.h), at once or much later, and that frees it.  A client
 * that leaves in between does not change that: the reply is then dropped.  Loop thread only.
 */
#pragma once

#include "common/blob.h"
#include "common/http/fields.h"
#include "common/id.h"
#include "http/router.h"

#include <stdbool.h>
#include <stddef.h>

struct evhttp_request;
struct http_connection;
struct http_server;
struct http_request;
struct lane_head;

/* Longer ones of clients are replaced. */
#define HTTP_REQUEST_ID_SIZE 65

typedef void (*http_handler_fn)(struct http_request *request, void *arg);
typedef void (*http_gone_fn)(struct http_request *request);

/* Answers a GET or HEAD as the handler would, if that can be done before it returns and without reading a
 * file; else answers false, and nothing has happened.  Such a request has no body, and nobody can leave while
 * it is answered. */
typedef bool (*http_answer_fn)(struct http_request *request, void *arg);

/* Refuses what can be refused by the head of a request whose body is still to come, as its handler would, and
 * answers true; else false, and nothing has happened.  The whole request follows. */
typedef bool (*http_refuse_fn)(struct http_request *request, void *arg);

/* What a pattern of the router leads to: the router's targets are of this type and outlive the requests that
 * found them. */
struct http_target {
	http_handler_fn handler;
	void *arg;
	http_answer_fn answer_now;   /* what the fast lane calls with arg; NULL: see is_by_lane */
	bool is_by_lane;	     /* the fast lane may call the handler; false: it goes the ordinary way */
	http_refuse_fn refuse_early; /* called with arg before the body; NULL: there is nothing to refuse */
};

struct http_request {
	/* read-only for handlers */
	enum http_method method;
	const char *path; /* as it came, still percent-encoded, not NUL-terminated */
	size_t path_len;
	const char *query; /* after '?', NULL if there is none; NUL-terminated */
	struct router_match match;
	const char *principal;	       /* who asks; NULL: nobody is known */
	bool is_admin;		       /* may use everybody's operations */
	char id[HTTP_REQUEST_ID_SIZE]; /* the client's X-Request-Id, or one of ours */
	bool is_not_stored;	       /* the reply gets Cache-Control: no-store; a handler may set it */
	bool tells_id;		       /* the reply has it: the client gave it, or the reply is a problem */

	/* the handler's, until it replies */
	http_gone_fn on_gone; /* the client has left; the request must still be replied to; NULL: no matter */
	void *arg;

	/* the front's */
	struct http_connection *connection; /* NULL once the client has left */
	struct evhttp_request *evhttp;	    /* NULL: it came by the lane, or evhttp has freed it */
	const struct lane_head *lane;	    /* its fields; NULL: it came by evhttp */
	bool is_held;			    /* it came by the lane, to a handler that may reply later */
	bool is_early; /* only its head is there, in lane: a reply is a refusal (early.h) */
	struct http_server *server;
	int64_t began_us;    /* when it was complete, for the log and metrics */
	struct fields extra; /* header fields to add to the reply, whatever it is */
	char *principal_memory;
};

/* The value of the first header field of that name, NULL if there is none; lent until the reply. */
const char *http_request_field(const struct http_request *request, const char *name);

/* Calls fn with the value of each header line of that name, in order. */
void http_request_each_field(const struct http_request *request, const char *name,
	void (*fn)(const char *value, void *arg), void *arg);

/* All header fields, for the caller to own. */
void http_request_copy_fields(const struct http_request *request, struct fields *ret_fields);

/* Of a request whose body is still to come: bytes of it that have been announced so far, by its length or its
 * chunks; and how many at most, no less than those, it may come to.  Further chunks are refused (413). */
uint64_t http_request_announced_len(const struct http_request *request);
void http_request_limit_body(struct http_request *request, uint64_t most);

/* Bytes in the body, and the body as a blob for the caller to own (NULL if there is none): in memory when it
 * is small, else in the directory spool_fd (-1: always in memory).  May be called once.  -errno of the disk.
 */
size_t http_request_body_len(const struct http_request *request);
__attribute__((warn_unused_result)) int http_request_take_body(
	struct http_request *request, int spool_fd, struct blob **ret_body);

/* "http" or "https"; the Host that was asked for; the client's address without port, "" for a unix socket. */
const char *http_request_scheme(const struct http_request *request);
const char *http_request_authority(const struct http_request *request);
const char *http_request_remote_address(const struct http_request *request);

/* Whether the request is of HTTP/1.0.  The port that it came to; 0: a unix socket, or the client has left. */
bool http_request_is_http_1_0(const struct http_request *request);
unsigned http_request_local_port(const struct http_request *request);

/* The configured public URL, else scheme and Host: "https://api.example.com", for the caller to free. */
char *http_request_base(const struct http_request *request);

/* The value of the first query parameter of that name, decoded, for the caller to free; NULL if there is
 * none. A parameter without '=' has the empty value.  Broken escapes are refused by the guard, NULs too. */
char *http_request_query(const struct http_request *request, const char *name);

/* Walks over the parameters of a query: at starts as the query and is NULL after the last; false at the end.
 */
struct http_query_param {
	const char *raw; /* "name=value" as it came */
	size_t raw_len;
	const char *name; /* still encoded */
	size_t name_len;
	const char *value; /* still encoded, "" without '=' */
	size_t value_len;
};
bool http_query_next(const char **at, struct http_query_param *ret_param);

/* The decoded value of path parameter name, for the caller to free; NULL if the pattern has none. */
char *http_request_param(const struct http_request *request, const char *name);

/* The id that path parameter name is.  -EINVAL if it is none. */
__attribute__((warn_unused_result)) int http_request_id_param(
	const struct http_request *request, const char *name, struct id *ret_id);
