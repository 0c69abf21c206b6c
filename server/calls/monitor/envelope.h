/*
 * Envelopes: JSON documents of monitors that contain the body of a final response.  A body of any size costs the loop the
 * same: a thread finds out once how it may stand in JSON, and where it must be rewritten for that writes it to a file.
 * Loop thread only.
 */
#pragma once

#include "style/style.h"

struct text;

/* How the body of a final response may stand in a JSON document. */
enum body_form {
	BODY_UNKNOWN,
	BODY_NONE,   /* there is none */
	BODY_OBJECT, /* as it is: it is a JSON object, and its media type says JSON */
	BODY_JSON,   /* as it is: another JSON value */
	BODY_TEXT,   /* as a string: UTF-8 without NUL, or empty */
	BODY_BYTES,  /* as a string in base64 */
};

struct envelope {
	int status;
	bool shows_strings; /* BODY_TEXT and BODY_BYTES stand in it as strings; else they are left out */

	/* Writes what stands before the body and behind it. */
	void (*write)(const struct http_request *request, const struct op *op, enum body_form form,
		struct text *ret_head, struct text *ret_tail);
};

/* Replies with the document of op, which has ended, and adds what every poll's answer has to fields (lent). Ends
 * the request, at once or when the body's form is known. */
void envelope_reply(struct http_request *request, struct styles *styles, struct op *op, struct fields *fields,
	const struct envelope *envelope);
