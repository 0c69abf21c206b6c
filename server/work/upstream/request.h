/* The header of a request to an upstream: the client's fields that may be forwarded, and a few of ours. */
#pragma once

#include "common/http/fields.h"

#include <stdbool.h>

struct trusted_proxies;
struct work_input;

struct upstream_request_rules {
	bool forward_credentials;	       /* Authorization and Cookie are forwarded */
	bool pass_idempotency_key;	       /* Idempotency-Key is forwarded */
	const struct fields *own;	       /* replace the client's fields of the same name; lent */
	const struct trusted_proxies *trusted; /* whose forwarding fields are kept; lent */
	const char *via;		       /* our name in Via; NULL: Via stays as it is; lent */
	const char *principal_header;	       /* the field that names the principal; NULL: none; lent */
};

/* Sets ret_fields (the caller's; not freed before) to the fields of the request, without Host and framing. */
void upstream_request_fields(const struct upstream_request_rules *rules, const struct work_input *input,
	struct fields *ret_fields);

/* Whether Via says that the request has passed the recipient of that name (RFC 9110, 7.6.3). */
bool upstream_request_has_passed(const struct fields *fields, const char *name);

/* Whether a method is idempotent (RFC 9110, 9.2.2). */
bool upstream_request_is_idempotent(const char *method);
