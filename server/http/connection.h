/*
 * A connection, private to this layer: what stands between the socket's bytes and evhttp.  It feeds the guard
 * with all that comes in, keeps evhttp from reading what the guard has not passed, holds the deadlines, and
 * notices clients that leave.
 */
#pragma once

#include "common/list.h"
#include "common/loop/timer.h"
#include "common/text.h"
#include "http/guard.h"
#include "http/request.h"

#include <stdbool.h>
#include <stdint.h>

struct address_count;
struct bufferevent;
struct event;
struct evbuffer;
struct evbuffer_cb_info;
struct evhttp_connection;
struct http_listener;

enum connection_state {
	CONNECTION_NEW,	      /* accepted; evhttp does not know of it yet, or no byte has come */
	CONNECTION_READING,   /* a request is coming in */
	CONNECTION_BUSY,      /* a request is with its handler, or its reply is being written */
	CONNECTION_IDLE,      /* between requests */
	CONNECTION_LINGERING, /* refused: the refusal is being written, what comes in is dropped */
};

struct http_connection {
	struct list link; /* in the server's connections */
	struct http_listener *listener;
	struct bufferevent *bev;
	struct event *watch;		  /* reads beside bev, once a request was held; NULL: none was */
	struct evhttp_connection *evhttp; /* NULL until the turn of the loop after the accept */
	struct http_request *request;	  /* with its handler; NULL: none */
	struct http_request *early;	  /* judged by its head alone; NULL: none */
	struct timer timer;		  /* deadline of the state */
	struct guard guard;
	enum connection_state state;
	bool complete;	/* the guard has seen the end of the request; what follows waits */
	bool feeding;	/* the input is being changed by ourselves */
	bool closing;	/* no request after this one */
	bool refused;	/* the refusal is still to be written */
	bool paused;	/* evhttp may not read until the head has been judged */
	bool answering; /* what of the lane's answer could not be sent at once is being written */
	bool is_tls;
	int64_t idle_since_us; /* while idle: the deadline counts from here, the timer may run out earlier */
	uint64_t lingered_bytes; /* dropped while lingering */
	uint64_t linger_bytes;	 /* how many may be */
	struct text refusal;	 /* to be written; empty: what the guard found */
	uint64_t reply_bytes;	 /* that the client had still to take when flushing began */
	uint64_t progress_mark;	 /* body bytes read or reply bytes taken when the deadline was last set */
	char remote_address[48]; /* without port; "" for a unix socket */
	struct address_count *address_count; /* of connections from there; NULL: not counted */
	bool client_is_read;		     /* its certificate was looked at */
	char *client_name;		     /* whom it names; NULL: nobody */
};

/* A connection of which evhttp has just asked for a bufferevent; holds a reference to bev until it is
 * adopted. */
struct http_connection *connection_new(struct http_listener *listener, struct bufferevent *bev);

/* evhttp has made its connection by now, or dropped it, or there are too many from its address: then false,
 * and ours is freed. */
bool connection_adopt(struct http_connection *connection);

/* Evhttp may not read what there is, nor anything more, until it may again. */
void connection_pause(struct http_connection *connection);
void connection_go_on(struct http_connection *connection);

/* Ends the connection with a reply (copied) to a request of which only the head is there, in good order: what
 * still comes is dropped. */
void connection_refuse(struct http_connection *connection, const struct text *reply);

/* A request has come in whole and is now with its handler. */
void connection_begin_request(struct http_connection *connection, struct http_request *request);

/* The handler has returned without a reply: watch for the client's leaving. */
void connection_hold_request(struct http_connection *connection);

/* A request has come in whole, evhttp has not seen it, and it goes to its handler.  Its bytes in the input
 * are dropped.  Like connection_begin_request and _hold_request in one. */
void connection_hold_in_lane(struct http_connection *connection, struct http_request *request);

/* It has been replied to: as far as the reply is in the output buffer it is written; then on to the next
 * request, or the end. */
void connection_end_in_lane(struct http_connection *connection);

/* A part of an answer of the lane is about to be put into the output buffer, since it cannot be sent at once:
 * from now on the next request waits until that is empty.  Does nothing if that is so already. */
void connection_hold_answer(struct http_connection *connection);

/* That part is in the output buffer now, and is written as the client takes it, within a deadline. */
void connection_flush_answer(struct http_connection *connection);

/* A reply is in the output buffer and is written as the client takes it, within a deadline. */
void connection_flush_reply(struct http_connection *connection);

/* The reply has gone out whole: on to the next request, which may be there already. */
void connection_next_request(struct http_connection *connection);

/* Whom the client's certificate names, NULL: nobody; lent. */
const char *connection_client_name(struct http_connection *connection);

/* Ends the connection at once and frees it. */
void connection_close(struct http_connection *connection);

/* No request after the one under way; closes it if there is none. */
void connection_drain(struct http_connection *connection);
