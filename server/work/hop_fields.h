/* Header fields that belong to one connection and are not sent on (RFC 9110, 7.6.1). */
#pragma once

#include "common/fields.h"

/* Removes them, those that are known and those that Connection names, and what else is_unwanted (NULL: nothing). */
void hop_fields_remove(struct fields *fields, bool (*is_unwanted)(const struct field *field, const void *arg),
	const void *arg);
