/* One HTTP exchange with an upstream on the calling thread, from its request to the end of the answer, or until it is told to stop. */
#pragma once

#include "common/blob.h"
#include "common/fields.h"
#include "work/upstream_response.h"
#include "work/work.h"

#include <stdbool.h>
#include <stdint.h>

/* What is sent and how; all lent. */
struct transfer_request {
	const char *origin;	     /* "http://127.0.0.1:9000" */
	const char *target;	     /* "/base/x?y=1" */
	const char *method;	     /* "POST" */
	const struct fields *fields; /* without Host and those of framing */
	const struct blob *body;     /* NULL: none */
	const char *ca_file;	     /* NULL: the system's certificates */
	int64_t connect_timeout_ms;  /* these three: 0 is no limit */
	int64_t timeout_ms;
	int64_t stall_timeout_ms;
	bool may_repeat; /* it may be sent again when a kept connection turns out to be gone */
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

#define TRANSFER_REASON_SIZE 256

/* Fills response, which was through upstream_response_init.  ret_reason is for the log: libcurl's own words, "" where there are none. */
enum transfer_end transfer_run(const struct transfer_request *request, struct work_control *control,
	struct upstream_response *response, char ret_reason[static TRANSFER_REASON_SIZE]);
