/* Listeners, private to this layer: an address, its socket, and the evhttp that its connections belong to. */
#pragma once

#include "common/list.h"
#include "common/text.h"
#include "http/address_count.h"
#include "http/server.h"

#include <event2/bufferevent.h>
#include <stdbool.h>

struct evconnlistener;
struct evhttp;
struct event;
struct ssl_ctx_st;

struct http_listener {
	struct list link; /* in the server's listeners */
	struct list all;  /* in the process' */
	struct http_server *server;
	struct evhttp *evhttp;
	struct evconnlistener *socket; /* evhttp's; NULL once it accepts no more */
	struct evhttp_bound_socket *bound;
	struct timer pause;	/* accepting again after descriptors ran out */
	struct ssl_ctx_st *tls; /* for new connections; NULL: plain */
	char *address;		/* as it was given; NULL: a descriptor was */
	bool is_unix;

	/* evhttp's callbacks on its connections' bufferevents, all alike; set with the first */
	bufferevent_data_cb on_read, on_write;
	bufferevent_event_cb on_event;

	char *unlink_path; /* of a unix socket; NULL: none */
};

struct http_server {
	struct event_base *base;
	struct timers *timers;
	struct http_config config;
	const struct router *router;
	struct list listeners;
	struct list connections;	/* adopted */
	struct list new_connections;	/* evhttp may not have made its side yet */
	struct event *adopt_event;	/* runs before the loop next waits */
	struct http_connection **by_fd; /* connections by descriptor; by_fd_size of them */
	size_t by_fd_size;
	unsigned connection_count;
	struct address_counts addresses;  /* of the connections */
	bool is_full;			  /* nothing is accepted until a connection ends */
	unsigned request_count;		  /* waiting for their reply */
	struct http_request *dispatching; /* its handler runs now; NULL once it has replied */
	bool draining;
	unsigned id_prefix; /* of request ids: random, one a process */
	unsigned id_count;
	char date[32]; /* the Date field of date_s */
	int64_t date_s;
	struct guard_note note;	 /* of the request that is being fed */
	struct text head;	 /* of the reply that is being built; kept for its memory */
	struct list lane_spares; /* memory of requests of the lane that have ended */
	unsigned lane_spare_count;
};

/* Makes the socket and accepts, with TLS where tls (shared) is not NULL; see http_server_listen. */
__attribute__((warn_unused_result)) int http_listener_new(struct http_server *server, const char *address,
	struct ssl_ctx_st *tls, struct http_listener **ret_listener, char **ret_address);
/* The same of a socket that listens already; takes fd. */
__attribute__((warn_unused_result)) int http_listener_new_fd(struct http_server *server, int fd,
	struct ssl_ctx_st *tls, struct http_listener **ret_listener, char **ret_address);
void http_listener_stop(struct http_listener *listener);
void http_listener_free(struct http_listener *listener);

/* connection is about to be freed. */
void http_listener_forget(struct http_listener *listener, struct http_connection *connection);

/* evhttp's callback for a request that has come in whole (request.c). */
struct evhttp_request;
void http_request_begin(struct evhttp_request *evhttp, void *listener);

/* Gives it the client's id, or one of ours; whether the client wants the connection closed after it
 * (request.c). */
void http_request_set_id(struct http_request *request);
bool http_request_closes(const struct http_request *request);

/* Finds out who makes the request, and admits it; or replies (request.c). */
void http_request_log_in(struct http_request *request);

/* It is known who makes the request: on to what its path leads to, which replies (request.c). */
void http_request_admit(struct http_request *request);

/* The whole of a refusal as it goes over the wire (reply.c). */
void reply_format_refusal(
	struct http_server *server, const struct problem_report *report, struct text *ret_reply);
