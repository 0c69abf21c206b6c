/*
 * A connection, private to this layer: struct http_connection, its states and the one function that moves it
 * from one to the next.
 *
 * A connection stands between the bytes of a socket and evhttp: it feeds the guard with everything that comes
 * in, keeps evhttp from reading what the guard has not passed, holds the deadlines and notices clients that
 * leave.  Loop thread only.
 */
#pragma once

#include "common/list.h"
#include "common/loop/timer.h"
#include "common/text.h"
#include "http/guard/guard.h"
#include "http/message/request.h"

#include <event2/bufferevent.h>
#include <stdbool.h>
#include <stdint.h>

struct address_count;
struct event;
struct event_base;
struct evbuffer;
struct evhttp_connection;
struct seen;
struct http_connection;
struct http_shared;
struct ssl_ctx_st;

/* Each line says what is true in the state.  connection_rules (connection.c) says which states may follow, who
 * has the bufferevent's callbacks, and what a deadline does. */
enum connection_state {
	CONNECTION_NEW,	     /* accepted; no byte has come */
	CONNECTION_HEAD,     /* the head of a request is coming in; evhttp does not read before it is whole */
	CONNECTION_READING,  /* its body is coming in; evhttp reads what the guard has passed */
	CONNECTION_JUDGING,  /* its head is being judged: evhttp does not read before that is done */
	CONNECTION_COMPLETE, /* the guard has seen its end; what follows waits in the input, unguarded */
	CONNECTION_WORKING,  /* it is with its handler */
	CONNECTION_FLUSHING, /* its reply is in the output; evhttp goes on when that is empty */
	CONNECTION_ANSWERING, /* the same by the lane, of which evhttp knows nothing: we go on */
	CONNECTION_NEXT, /* bytes of the next request wait in ahead, which evhttp does not see, for the next turn */
	CONNECTION_IDLE,    /* between two requests */
	CONNECTION_REFUSED, /* a refusal is written in the next turn of the loop; what comes in is dropped */
	CONNECTION_LINGERING, /* it is in the output; what comes in is dropped for a while, then all ends */
	CONNECTION_STATE_COUNT,
};

/* The owner of a bufferevent's callbacks. */
enum connection_owner {
	CONNECTION_OF_EVHTTP,	   /* evhttp, whole */
	CONNECTION_OF_EVHTTP_DEAF, /* evhttp, but for input: evhttp would end the process if it heard of some */
	CONNECTION_OURS,	   /* on_write and on_event of the state's rule */
};

struct connection_rule {
	uint16_t next; /* states that may follow, as bits */
	enum connection_owner owner;
	bufferevent_data_cb on_write; /* with CONNECTION_OURS; their argument is the connection */
	bufferevent_event_cb on_event;

	/* The state has been entered; NULL: nothing more is to be done. */
	void (*on_enter)(struct http_connection *connection, enum connection_state from);

	/* The timer has run out.  May free the connection. */
	void (*on_deadline)(struct http_connection *connection);
};

/* Settings, callbacks and tables that all connections of a server share. */
struct connection_env {
	/* set by the owner */
	struct event_base *base;
	struct timers *timers;
	struct guard_limits limits;
	int64_t header_timeout_ms, idle_timeout_ms; /* see struct http_config */
	struct http_shared *shared;
	struct http_room room; /* see room.h */

	/* The input holds nothing but one whole request of len bytes, described by note, and the output is
	 * empty.  Returns whether the request has been answered, or is with its handler (connection_hold): its
	 * bytes are then no longer wanted, and *ret_began_us is when that began.  NULL: no. */
	bool (*on_whole)(struct http_connection *connection, const char *data, size_t len,
		const struct guard_note *note, int64_t *ret_began_us);

	/* The head of a request, of len bytes, is whole and its body is not; evhttp has seen neither.  May
	 * refuse it (connection_refusal_begin), or set connection->early to have evhttp wait.  NULL: does
	 * nothing. */
	void (*on_head)(struct http_connection *connection, const char *data, size_t len);

	/* A connection is about to be freed. */
	void (*on_close)(struct http_connection *connection);
	const struct connection_rule *rules;

	/* connection.c's */
	bufferevent_data_cb evhttp_on_read, evhttp_on_write; /* of all connections; set with the first */
	bufferevent_event_cb evhttp_on_event;
	struct http_connection **by_fd; /* connections by descriptor; by_fd_size of them */
	size_t by_fd_size;
	struct list next; /* connections in CONNECTION_NEXT; valid once there is next_event */
	struct event
		*next_event;	/* begins their requests in the next turn of the loop; NULL: not needed yet */
	struct guard_note note; /* of the request that is being fed */
};

/* The address that a connection was accepted at; it outlives the connection. */
struct connection_door {
	struct ssl_ctx_st *tls; /* for new connections; NULL: plain */
	bool is_unix;
};

struct http_connection {
	struct list link; /* the owner's */
	struct connection_env *env;
	const struct connection_door *door;
	struct http_peer peer;
	struct bufferevent *bev;
	struct event *watch;		  /* reads beside bev, once a request was held; NULL: none was */
	struct evhttp_connection *evhttp; /* NULL until the turn of the loop after the accept */
	struct http_request *request;	  /* with its handler; NULL: none */
	struct http_request *early;	  /* judged by its head alone; NULL: none */
	struct guard guard;
	struct evbuffer *ahead; /* see CONNECTION_NEXT; NULL in other states */
	struct list next_link;	/* in env->next while there is ahead */
	size_t head_len;   /* bytes of the head in the input, once it is whole and until evhttp may read */
	struct seen *seen; /* what a refusal is logged with; NULL: it is in the input */
	struct text host;  /* of an absolute target, in the place of the Host field; empty: none */

	enum connection_state state;
	enum connection_owner owner;
	struct timer timer;    /* deadline of the state */
	int64_t idle_since_us; /* while idle: the deadline counts from here, the timer may run out earlier */
	uint64_t room_bytes;   /* of the body, counted in env->room */
	uint64_t lingered_bytes; /* dropped while lingering */
	uint64_t linger_bytes;	 /* dropped at most */
	struct text refusal;	 /* to be written; empty: the guard's */
	uint64_t reply_bytes;	 /* not yet taken by the client when flushing began */
	uint64_t progress_mark;	 /* body bytes read or reply bytes taken when the deadline was last set */

	bool is_feeding; /* we are changing the input ourselves */
	bool is_closing; /* no request after this one */

	struct address_count *address_count; /* the owner's; NULL: not counted */
	bool client_is_read;		     /* its certificate was looked at */
	char *client_name;		     /* see connection_client_name */
	size_t client_name_len;
};

/* connection is zeroed but for env and bev. */
void connection_state_init(struct http_connection *connection);

/* Moves the connection to a state that may follow its own, and its callbacks to their owner. */
void connection_go(struct http_connection *connection, enum connection_state state);

/* Starts the deadline of the state. */
void connection_start_timer(struct http_connection *connection, int64_t after_ms);

/* Whether the client has kept the least rate over the last interval: bytes counts the bytes that it has sent or
 * taken.  If so, the next interval begins. */
bool connection_makes_progress(struct http_connection *connection, uint64_t bytes);

/* Forgets the request that is being judged by its head: the judgement reaches no client. */
void connection_forget_early(struct http_connection *connection);

/* Ends the connection at once and frees it.  Does nothing before it is adopted. */
void connection_close(struct http_connection *connection);
