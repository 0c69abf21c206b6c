/* Listeners, private to this layer: an address, its socket, and the evhttp that its connections belong to.  Loop
 * thread only. */
#pragma once

#include "common/list.h"
#include "common/loop/timer.h"
#include "http/connection_state.h"

#include <stdbool.h>

struct bufferevent;
struct dispatch;
struct evconnlistener;
struct evhttp;
struct evhttp_bound_socket;
struct http_listener;
struct ssl_ctx_st;

/* What a listener needs of its server. */
struct listener_owner {
	struct dispatch *dispatch;
	bool is_full; /* no listener accepts */

	/* evhttp has accepted a connection and wants this bufferevent for it. */
	void (*on_accept)(
		struct listener_owner *owner, const struct connection_door *door, struct bufferevent *bev);
};

struct http_listener {
	struct list link; /* in the server's listeners */
	struct list all;  /* in the process' */
	struct listener_owner *owner;
	struct connection_door door;
	struct evhttp *evhttp;
	struct evconnlistener *socket; /* evhttp's; NULL once it accepts no more */
	struct evhttp_bound_socket *bound;
	struct timer pause; /* accepting again after descriptors ran out */
	char *address;	    /* as it was given, or that of the descriptor */
	char *unlink_path;  /* of a unix socket; NULL: none */
};

/* Makes the socket and accepts, with TLS where tls (shared) is not NULL; see http_server_listen. */
__attribute__((warn_unused_result)) int http_listener_new(struct listener_owner *owner, const char *address,
	struct ssl_ctx_st *tls, struct http_listener **ret_listener, char **ret_address);
/* The same on a socket that listens already; takes fd. */
__attribute__((warn_unused_result)) int http_listener_new_fd(struct listener_owner *owner, int fd,
	struct ssl_ctx_st *tls, struct http_listener **ret_listener, char **ret_address);

/* The address of a listening socket as http_server_listen writes it, for the caller to free; "?" if it has
 * none. */
char *http_listener_fd_address(int fd);

/* Stops accepting for now, because the server is full; and begins again. */
void http_listener_pause(struct http_listener *listener);
void http_listener_resume(struct http_listener *listener);

/* Gives new connections these certificates (shared). */
void http_listener_set_tls(struct http_listener *listener, struct ssl_ctx_st *tls);

/* Stops accepting for good. */
void http_listener_stop(struct http_listener *listener);
void http_listener_free(struct http_listener *listener);
