/* Header fields that belong to one connection and are not sent on (RFC 9110, 7.6.1). */
#pragma once

#include "common/http/fields.h"

/* Removes the hop-by-hop fields: the standard ones, those listed in Connection, and any for which is_unwanted
 * (may be NULL) returns true. */
void hop_fields_remove(struct fields *fields, bool (*is_unwanted)(const struct field *field, const void *arg),
	const void *arg);
