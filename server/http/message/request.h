/*
 * A request on its way to its reply.  It has come in whole, or its head has, and the guard has passed it.
 * Its handler replies exactly once with a reply_* call (reply.h), at once or much later, and that frees the
 * request.  The client may leave in between: the reply is then dropped.  Loop thread only.
 */
#pragma once

#include "common/blob.h"
#include "common/http/fields.h"
#include "common/id.h"
#include "http/message/router.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_cors;
struct http_request;
struct http_shared;
struct http_transport;

/* Bytes of a request's id with its NUL.  Longer ones of clients are replaced. */
#define HTTP_REQUEST_ID_SIZE 65

/* The status by which a request is counted and logged whose client left before the reply.  No client sees it. */
#define HTTP_CLIENT_LEFT 499

typedef void (*http_handler_fn)(struct http_request *request, void *arg);
typedef void (*http_gone_fn)(struct http_request *request);

/* Answers a GET or HEAD as the handler would, if that can be done before it returns and without reading a
 * file; else returns false and changes nothing.  Such a request has no body, and its client cannot leave
 * while it is answered. */
typedef bool (*http_answer_fn)(struct http_request *request, void *arg);

/* Judges the head of a request whose body is still to come.  Replies as the handler would and returns true if
 * the head alone is a reason to refuse the request; else returns false and changes nothing.  The whole
 * request follows. */
typedef bool (*http_refuse_fn)(struct http_request *request, void *arg);

/* A target of the router.  Targets outlive the requests that found them. */
struct http_target {
	http_handler_fn handler;
	void *arg;
	http_answer_fn answer_now; /* called with arg by the fast lane; NULL: see is_by_lane */
	bool is_by_lane; /* the fast lane may call the handler; false: it leaves the request to evhttp */
	const struct http_cors *cors; /* the pages that may call (site.h); NULL: those of the whole server */
	http_refuse_fn refuse_early;  /* called with arg before the body; NULL: there is nothing to refuse */
};

/* Room for the bytes of bodies, which all that hold some share: take says whether there is room for so many more, and
 * takes it; give gives it back.  NULL: there is always room. */
struct http_room {
	bool (*take)(void *arg, uint64_t bytes);
	void (*give)(void *arg, uint64_t bytes);
	unsigned (*retry_after)(void *arg); /* seconds until there may be room again */
	void *arg;
};

/* The client's end of the connection that a request came on. */
struct http_peer {
	bool is_tls;
	unsigned local_port; /* that the connection came to; 0: a unix socket */
	char address[48];    /* without port; "" for a unix socket */
};

struct http_request {
	/* read-only for handlers */
	enum http_method method;
	const char *path; /* as it came, still percent-encoded (target.h), not NUL-terminated */
	size_t path_len;
	const char *query; /* after '?', NULL if there is none; NUL-terminated */
	struct router_match match;
	const char *principal; /* name of the caller; NULL: not known */
	bool is_http_1_0;
	bool is_admin;		       /* may use everybody's operations */
	char id[HTTP_REQUEST_ID_SIZE]; /* the client's X-Request-Id, or one of ours */
	bool is_refused; /* before it was whole; only method, path, id and peer are known, if they have come */
	bool is_not_stored; /* the reply gets Cache-Control: no-store; a handler may set it */

	/* the handler's, until it replies */
	http_gone_fn
		on_gone; /* the client has left; the request must still be replied to; NULL: not called */
	void *arg;

	/* this layer's */
	const struct http_transport *transport;
	struct http_peer *peer; /* lent by the connection; NULL once the client has left */
	struct http_peer left;	/* what peer was, once the client has left */
	struct http_shared *shared;
	int64_t began_us;    /* when it was complete, for the log and metrics */
	struct fields extra; /* header fields to add to the reply, whatever it is */
	char *principal_memory;
	char *target_memory; /* of path and query, if they are not as they came; NULL: the transport has them */
};

/* The value of the first header field of that name, NULL if there is none; lent until the reply. */
const char *http_request_field(const struct http_request *request, const char *name);

/* Calls fn with the value of each header line of that name, in order. */
void http_request_each_field(const struct http_request *request, const char *name,
	void (*fn)(const char *value, void *arg), void *arg);

/* All header fields, for the caller to own. */
void http_request_copy_fields(const struct http_request *request, struct fields *ret_fields);

/* For a request whose body is still to come: the bytes that its length or its chunks have announced so far,
 * and a limit on them, no lower than that.  Chunks beyond it are refused (413). */
uint64_t http_request_announced_len(const struct http_request *request);
void http_request_limit_body(struct http_request *request, uint64_t most);

/* Bytes in the body; and the body as a blob for the caller to own (NULL if there is none), in memory when it
 * is small, else in the directory spool_fd (-1: always in memory).  May be called once.  -errno of the disk.
 */
size_t http_request_body_len(const struct http_request *request);
__attribute__((warn_unused_result)) int http_request_take_body(
	struct http_request *request, int spool_fd, struct blob **ret_body);

/* "http" or "https"; the Host field; the client's address without port, "" for a unix socket.  All of them stay
 * when the client has left. */
const char *http_request_scheme(const struct http_request *request);
const char *http_request_authority(const struct http_request *request);
const char *http_request_remote_address(const struct http_request *request);

/* Whether the request is of HTTP/1.0.  The port that it came to; 0: a unix socket. */
bool http_request_is_http_1_0(const struct http_request *request);
unsigned http_request_local_port(const struct http_request *request);

/* The configured public URL, else scheme and Host: "https://api.example.com", for the caller to free. */
char *http_request_base(const struct http_request *request);

/* The decoded value of the first query parameter of that name, for the caller to free; NULL if there is none.
 * The guard refuses broken escapes and NULs. */
char *http_request_query(const struct http_request *request, const char *name);

/* The decoded value of path parameter name, the last one of that name, for the caller to free; NULL if the pattern has
 * none. */
char *http_request_param(const struct http_request *request, const char *name);

/* Reads path parameter name as an id.  -EINVAL if it is none. */
__attribute__((warn_unused_result)) int http_request_id_param(
	const struct http_request *request, const char *name, struct id *ret_id);

/* For transports.  Sets path and query from a target, which is lent and NUL-terminated; or from a copy, in
 * target_memory, if it has bytes that are to be escaped (target.h). */
void http_request_set_target(struct http_request *request, const char *target, size_t len);

/* For transports.  Sets the id: the client's, or one of ours. */
void http_request_set_id(struct http_request *request);

/* For transports.  Whether the client asks for the connection to be closed after this request. */
bool http_request_asks_close(const struct http_request *request);

/* For connections.  The client has left: says so to the transport and, last, to the handler. */
void http_request_leave(struct http_request *request);

/* For transports.  Frees what the request owns; not its own memory. */
void http_request_fini(struct http_request *request);
