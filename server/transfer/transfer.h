/*
 * One HTTP exchange as a client, from the request to the end of the response, or until it is stopped.  It runs
 * on one of the transfers' threads (see transfers.h), which many exchanges share: callbacks must not block.
 */
#pragma once

#include "common/blob.h"
#include "common/http/fields.h"
#include "common/list.h"
#include "transfer/handle.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The request; everything is lent until the exchange has ended. */
struct transfer_request {
	const struct transfer_peer *peer;
	const char *target;	     /* "/base/x?y=1" */
	const char *method;	     /* "POST" */
	const struct fields *fields; /* without Host and framing fields */
	const struct blob *body;     /* NULL: none */
	bool may_repeat;	     /* sent again if a reused connection turns out to be closed */
};

enum transfer_end {
	TRANSFER_ANSWERED,    /* the response is complete */
	TRANSFER_CANCELLED,   /* it was stopped */
	TRANSFER_REFUSED,     /* the sink refused the response */
	TRANSFER_UNREACHABLE, /* no connection: nothing was sent */
	TRANSFER_UNTRUSTED,   /* no trusted connection: nothing was sent */
	TRANSFER_BROKEN,
	TRANSFER_TIMED_OUT,
	TRANSFER_FAILED, /* on our side */
};

/* Where the response goes.  Both run on the transfer's thread, get bytes that are lent, and return 0 to go on
 * or a negative number to refuse the response, which ends the exchange as TRANSFER_REFUSED. */
struct transfer_sink {
	/* A status line, a header or trailer line, or the empty line behind them, with its line end. */
	int (*on_line)(void *arg, const char *line, size_t len, bool is_head_request);
	/* A piece of the body. */
	int (*on_body)(void *arg, const char *data, size_t len);
};

struct transfer_thread;

struct transfer {
	/* set before transfers_add() */
	const _Atomic int *stop; /* lent: not 0 ends the exchange; call transfer_stop then */
	void (*on_turn)(struct transfer *transfer); /* see transfers.h */
	/* reason is for the log: libcurl's message, or "". */
	void (*on_end)(struct transfer *transfer, enum transfer_end end, const char *reason);

	/* set before transfer_start() */
	struct transfer_request request;
	const struct transfer_sink *sink;
	void *sink_arg;

	/* the thread's */
	struct transfer_thread *thread;
	struct list link; /* in the thread's inbox, among what it sends, or what rests */
	int64_t due_ms;	  /* while it rests: its next turn */

	/* while it is sent */
	struct transfer_handle *handle;
	struct curl_slist *lines; /* header lines, in one piece of memory with their text */
	bool is_head;		  /* the method is HEAD */
	unsigned sends;		  /* how often the request was about to be sent */
	bool was_lost;		  /* it was aborted because it must not be sent twice */
	bool is_refused;	  /* by the sink */
	bool has_stalled;
	int64_t began_ms;
	bool has_piece;	       /* bytes of the response came since the thread last looked */
	int64_t last_piece_ms; /* when the thread last saw has_piece; 0: never */
	int body_fd;	       /* of a body in a file, else -1 */
	off_t body_offset;
};

/* Call it after *stop has been set, so that the thread looks at it.  Any thread, after transfers_add() and
 * before the mail of transfer_finish() has been delivered. */
void transfer_stop(struct transfer_thread *thread);

/*
 * For the transfer's thread.  transfer_set_up prepares the exchange on handle, which is one for the request's
 * peer, and uses it until transfer_clean_up; -errno if the body cannot be read.  transfer_end_of and
 * transfer_reason say how an exchange ended that libcurl ended with code; the reason is valid until
 * transfer_clean_up.
 */
__attribute__((warn_unused_result)) int transfer_set_up(
	struct transfer *transfer, struct transfer_handle *handle);
enum transfer_end transfer_end_of(const struct transfer *transfer, CURLcode code);
const char *transfer_reason(const struct transfer *transfer, CURLcode code);
void transfer_clean_up(struct transfer *transfer);

/* Returns how long the exchange may still take, or its response pause, in milliseconds; 0: it is overdue.  To
 * be called in every pass of the thread. */
int64_t transfer_left_ms(struct transfer *transfer, int64_t now_ms);
