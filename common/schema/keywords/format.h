/* Formats of strings that can be asserted (JSON Schema Validation, 7.3).  Part of the schema, see
 * schema.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct schema_format {
	const char *name;
	bool (*is_valid)(const char *data, size_t len); /* of len bytes and a NUL; any thread */
	const char *noun;				/* "a date (RFC 3339)" */
	unsigned steps;					/* what looking costs, */
	unsigned byte_steps;				/* and each byte of it */
};

/* NULL for a format that is unknown, which is no mistake: it asserts nothing. */
const struct schema_format *schema_format_find(const char *name);
