/*
 * A transport, private to this layer: how a request came and how its reply goes.  There are three: evhttp.c
 * has requests that evhttp has read whole, lane.c requests without a body that evhttp never sees, and early.c
 * heads whose body is still to come.  A request points at its transport.  Loop thread only.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct blob;
struct http_request;
struct text;

typedef void (*http_each_fn)(const char *name, const char *value, void *arg);

struct http_transport {
	/* The value of the first header field of that name, NULL if there is none; lent until the reply. */
	const char *(*field)(const struct http_request *request, const char *name);

	/* Calls fn with every header line, in order. */
	void (*each_field)(const struct http_request *request, http_each_fn fn, void *arg);

	/* Bytes in the body, of which announced_len says how many are known to come while it is still on its
	 * way. */
	size_t (*body_len)(const struct http_request *request);
	uint64_t (*announced_len)(const struct http_request *request);

	/* Gives the body to the caller, in memory or in the directory spool_fd; NULL: there is none. */
	int (*take_body)(struct http_request *request, int spool_fd, struct blob **ret_body);

	/* Bounds a body that is still to come; NULL where none is. */
	void (*limit_body)(struct http_request *request, uint64_t most);

	/* The request's client is known and its path leads to request->match.target: calls that, which
	 * replies. */
	void (*admitted)(struct http_request *request);

	/* The value of the reply's Connection field; NULL: the reply has none.  Called once, before write. */
	const char *(*persistence)(struct http_request *request);

	/* Sends a reply's head, with its body if that is small. */
	void (*write)(struct http_request *request, const struct text *piece);

	/* Sends the body behind it, of which it takes a reference.  -errno if its file cannot be read.  NULL:
	 * replies are always small. */
	int (*write_blob)(struct http_request *request, struct blob *body);

	/* Closes the connection, because the rest of a reply cannot be had: the client sees that it is cut
	 * short.  end follows. */
	void (*cut_short)(struct http_request *request);

	/* The reply is written, or request->peer is NULL: frees the request, and lets its connection go on. */
	void (*end)(struct http_request *request);

	/* The client has left; request->peer is NULL from now on.  NULL: no matter. */
	void (*left)(struct http_request *request);
};
