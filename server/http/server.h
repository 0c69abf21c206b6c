/*
 * An HTTP server: listeners, connections, and the way of a request to the handler that its path leads to.
 * evhttp parses what the guard has passed; nothing above this layer knows of it.  Loop thread only.
 */
#pragma once

#include "http/guard/guard.h"
#include "http/message/request.h"

#include <stdbool.h>
#include <stdint.h>

struct auth;
struct event_base;
struct http_server;
struct http_site;
struct timers;
struct ssl_ctx_st;

struct http_config {
	struct guard_limits limits;
	int64_t header_timeout_ms; /* from the first byte of a request (or the accept) to the end of its
				      header and body */
	int64_t idle_timeout_ms;   /* between requests */
	bool all_admins;	   /* every caller is an admin */
	unsigned max_connections;  /* open at once; then accepting waits; 0: no limit */
	unsigned max_connections_per_address; /* more are closed; unix sockets have no address; 0: no limit */
	struct auth *auth;		      /* lent; NULL: no log-in is needed */
	struct http_room room;	/* for bodies that are coming in, and have not been taken by a handler */
	const char *public_url; /* lent; without a slash at its end; NULL: made of each request */

	/* Called with every reply and refusal, for the access log and metrics; of a request
	 * that was refused before it was whole little is known (is_refused).  HTTP_CLIENT_LEFT: there is no reply.  May be NULL. */
	void (*on_reply)(void *arg, const struct http_request *request, int status, uint64_t body_bytes);
	void *arg;
};

__attribute__((warn_unused_result)) int http_server_new(struct event_base *base, struct timers *timers,
	const struct http_config *config, struct http_server **ret_server);

/* Sets the names that the server answers to and the pages that may call it, from the next request on; copied.  At first
 * there are none but its own. */
void http_server_set_site(struct http_server *server, const struct http_site *site);

/* Routes to these patterns from the next request on; the targets (struct http_target) and the router are
 * lent. */
void http_server_set_router(struct http_server *server, const struct router *router);

/*
 * Listens on "127.0.0.1:8580", "[::1]:0", "localhost:80" or "unix:PATH" (a socket file without a listener is
 * replaced).  tls (tls.h; shared): speaks HTTPS; NULL: plain HTTP.  *ret_address is the address with its
 * actual port, for the caller to free.  -errno; -EINVAL if the address does not parse.
 */
__attribute__((warn_unused_result)) int http_server_listen(
	struct http_server *server, const char *address, struct ssl_ctx_st *tls, char **ret_address);

/* New connections to an address with TLS get these certificates (shared).  -ENOENT if there is no such
 * address. */
__attribute__((warn_unused_result)) int http_server_set_tls(
	struct http_server *server, const char *address, struct ssl_ctx_st *tls);

/* Like http_server_listen, on a non-blocking socket that listens already (socket activation); takes fd. */
__attribute__((warn_unused_result)) int http_server_listen_fd(
	struct http_server *server, int fd, struct ssl_ctx_st *tls, char **ret_address);

/* The address of such a socket as http_server_listen writes it, for the caller to free; "?" if it has none. */
char *http_server_fd_address(int fd);

/* Stops accepting, closes idle connections, and every other after its reply. */
void http_server_drain(struct http_server *server);

/* Connections that are open; requests that wait for their reply. */
unsigned http_server_connections(const struct http_server *server);
unsigned http_server_requests(const struct http_server *server);

/* Closes everything.  No request may be waiting for its reply.  NULL is allowed. */
void http_server_free(struct http_server *server);
