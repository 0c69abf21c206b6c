/* The head of a CGI response (RFC 3875, 6): pure functions over bytes. */
#pragma once

#include "common/http/fields.h"

#include <stddef.h>

/* The longest head with the empty line that ends it. */
#define CGI_HEAD_MAX ((size_t)64 * 1024)

/*
 * Returns the length of the head at the start of data, with the empty line that ends it; 0: the head is
 * incomplete.  Lines end in LF or CRLF.  Bytes before from were searched by an earlier call.
 */
size_t cgi_head_len(const char *data, size_t len, size_t from);

/*
 * Reads a head with its empty line.  *ret_status is 200..599: the Status field, else 302 with a Location and 200
 * without.  *ret_fields (the caller's) has the other fields, except those of the connection and of framing,
 * which a program may not set.  -EINVAL if the head is malformed, has none of Status, Location and
 * Content-Type, or has one of them twice.
 */
__attribute__((warn_unused_result)) int cgi_parse_head(
	const char *head, size_t len, int *ret_status, struct fields *ret_fields);
