/* What an upstream is sent as header: the request's fields without those that are not its business, and a few
 * of ours. */
#pragma once

#include "common/fields.h"

#include <stdbool.h>

struct work_input;

struct upstream_request_rules {
	bool forward_credentials;  /* Authorization and Cookie are sent on */
	bool pass_idempotency_key; /* Idempotency-Key is sent on */
	const struct fields *own;  /* in place of the client's of the same name; lent */
};

/* The fields of the request to the upstream, without Host and those of framing.  Frees nothing of what
 * ret_fields held. */
void upstream_request_fields(const struct upstream_request_rules *rules, const struct work_input *input,
	struct fields *ret_fields);

/* Whether a method may be repeated without asking (RFC 9110, 9.2.2). */
bool upstream_request_is_idempotent(const char *method);
