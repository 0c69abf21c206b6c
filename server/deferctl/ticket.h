/* Tickets: where an answer says that its operation can be polled, in whatever style. */
#pragma once

#include "common/http/fields.h"

#include <stdbool.h>

struct json_object;

enum monitor_kind {
	MONITOR_PLAIN,	      /* 202 until ended, then the final response (location, prefer, FHIR) */
	MONITOR_STATUS,	      /* 200 with a "status" in JSON: CloudCenter, Azure, replicate */
	MONITOR_TOKEN,	      /* 200 with asyncOperation.status (Paxport) */
	MONITOR_LONG_RUNNING, /* 200 with "done" (google.longrunning) */
};

struct ticket {
	enum monitor_kind kind;
	char *url;    /* the monitor */
	char *result; /* where the result is once it has ended; NULL: in the monitor's answer */
};

/* Reads the ticket out of an answer of url with status, fields and body (NULL: no JSON).  False: the answer is final, or
 * says nowhere how to go on. */
bool ticket_read(const char *url, long status, const struct fields *fields, struct json_object *body,
	struct ticket *ret_ticket);

/* The ticket of a monitor's URL that somebody names: its kind by the shape of the path. */
void ticket_of_url(const char *url, struct ticket *ret_ticket);

void ticket_fini(struct ticket *ticket);
