/*
 * The site that a server is to browsers: the names that it answers to, and the pages of other origins that may call it
 * (the Fetch standard's CORS).  A page that somebody visits must not start work, nor read results through a name of its
 * own (DNS rebinding).  Loop thread only.
 */
#pragma once

#include "http/message/request.h"

struct router;

/* The pages that may call, by their origins. */
struct http_cors {
	char **origins; /* "https://app.example.com", "*" for every; ended by NULL; NULL: none */
	bool credentials;
	int64_t max_age_ms; /* how long a browser may remember a preflight */
};

struct http_site {
	char **hosts;	       /* further names that the server answers to; ended by NULL; NULL: none */
	struct http_cors cors; /* of targets that have none of their own */
};

/* Copies what from has; frees what site holds. */
void http_cors_copy(struct http_cors *ret_cors, const struct http_cors *from);
void http_cors_fini(struct http_cors *cors);
void http_site_copy(struct http_site *ret_site, const struct http_site *from);
void http_site_fini(struct http_site *site);

/* Whether the request's Host is a loopback name or address, the host of the public URL, or one of the site's.  A request
 * without Host, and one that came by a unix socket, has no name to be wrong. */
bool site_has_host(const struct http_site *site, const struct http_request *request);

/* Whether a browser says that the request is from a page, so that site_admits has to look at it. */
bool site_is_asked(const struct http_request *request);

/* Whether a request may go on: then header fields for the page are added to its reply.  Otherwise it has been replied to: a
 * preflight with 204, a page of an origin that may not call with 403. */
bool site_admits(const struct http_site *site, struct http_request *request, const struct router *router);
