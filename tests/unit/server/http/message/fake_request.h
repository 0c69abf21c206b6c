/* A request whose transport is a fake: its fields are a list, and its reply is kept for the test to look at. */
#pragma once

#include "http/message/request.h"
#include "http/message/shared.h"

struct fake_request {
	struct http_request request;
	struct http_peer peer;
	const char *const *fields; /* name, value, name, value ... NULL */
	const char *persistence;   /* of the reply */
	int write_blob_rc;	   /* of sending a large body */

	struct text written; /* head and small body */
	struct blob *blob;   /* the large body */
	const char *body;    /* in written, behind the empty line; set by the end */
	bool is_admitted, is_cut_short, has_ended;
};

/* From 192.0.2.1, with these fields (lent; NULL: none). */
void fake_request_init(struct fake_request *fake, struct http_shared *shared, enum http_method method,
	const char *const *fields);
void fake_request_fini(struct fake_request *fake);

/* The client leaves. */
void fake_request_leave(struct fake_request *fake);

/* The status of the reply, which must have ended. */
int fake_request_status(const struct fake_request *fake);

/* Whether the reply has the line "Name: value". */
bool fake_request_has_line(const struct fake_request *fake, const char *line);
