/*
 * One HTTP exchange with an upstream, from its request to the end of the answer, or until it is told to stop.
 * It runs on one of the transfers' threads (see transfers.h), which many share: what is called there must not
 * wait.
 */
#pragma once

#include "common/blob.h"
#include "common/fields.h"
#include "common/list.h"
#include "work/transfer_handle.h"
#include "work/upstream_response.h"
#include "work/work.h"

#include <stdbool.h>
#include <stdint.h>

/* What is sent and how; all lent. */
struct transfer_request {
	const struct transfer_peer *peer;
	const char *target;	     /* "/base/x?y=1" */
	const char *method;	     /* "POST" */
	const struct fields *fields; /* without Host and those of framing */
	const struct blob *body;     /* NULL: none */
	bool may_repeat;	     /* it may be sent again when a kept connection turns out to be gone */
};

enum transfer_end {
	TRANSFER_ANSWERED,    /* the answer has come whole */
	TRANSFER_CANCELLED,   /* the control said stop */
	TRANSFER_REFUSED,     /* the response's error says why we did not take it */
	TRANSFER_UNREACHABLE, /* nothing was sent */
	TRANSFER_UNTRUSTED,   /* nothing was sent */
	TRANSFER_BROKEN,
	TRANSFER_TIMED_OUT,
	TRANSFER_FAILED, /* on our side */
};

struct transfer_thread;

struct transfer {
	/* set before transfers_add() */
	struct work_control *control;
	void (*on_turn)(struct transfer *transfer); /* see transfers.h */
	/* reason is for the log: libcurl's own words, "" where there are none. */
	void (*on_end)(struct transfer *transfer, enum transfer_end end, const char *reason);

	/* set before transfer_start() */
	struct transfer_request request;
	struct upstream_response *response; /* which was through upstream_response_init */

	/* the thread's */
	struct transfer_thread *thread;
	struct list link; /* in the thread's inbox, among what it sends, or what rests */
	int64_t due_ms;	  /* while it rests: its next turn */

	/* while it is sent */
	struct transfer_handle *handle;
	struct curl_slist *lines; /* header lines, in one piece of memory with their text */
	bool is_head;		  /* the method is HEAD */
	unsigned sends;		  /* how often the request was about to be sent */
	bool was_lost;		  /* it would have been sent again */
	bool has_stalled;
	int64_t began_ms;
	bool has_piece;	       /* something of the answer has come since the thread last looked */
	int64_t last_piece_ms; /* when the thread last saw that; 0: nothing has come */
	int body_fd;	       /* of a body in a file, else -1 */
	off_t body_offset;
};

/*
 * For the thread, around the time of the exchange: makes the handle, which is one for the request's peer,
 * ready (takes it; -errno if the body cannot be read), and makes it free again, once the transfer has come to
 * code.  transfer_reason is valid until transfer_clean_up.
 */
__attribute__((warn_unused_result)) int transfer_set_up(
	struct transfer *transfer, struct transfer_handle *handle);
enum transfer_end transfer_end_of(const struct transfer *transfer, CURLcode code);
const char *transfer_reason(const struct transfer *transfer, CURLcode code);
void transfer_clean_up(struct transfer *transfer);

/* How long it may still take, or its answer pause, in milliseconds; 0 if that is over.  To be asked in every
 * pass. */
int64_t transfer_left_ms(struct transfer *transfer, int64_t now_ms);
