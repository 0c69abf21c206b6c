/*
 * Targets of requests as browsers send them.  What the WHATWG's URL Standard leaves as it is, though RFC 3986 has it
 * escaped, is escaped here: "[", "]", "|" and "^" in a path; "^", "`", "\" and a percent sign that begins no escape in
 * a query.  Programs and upstreams so get URLs by the RFC.
 */
#pragma once

#include <stddef.h>

/* The target with such bytes escaped, NUL-terminated, for the caller to free; NULL: there are none. */
char *target_escape(const char *target, size_t len, size_t *ret_len);
