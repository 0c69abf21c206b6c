/* The head of a CGI response (RFC 3875, 6): pure functions over bytes. */
#pragma once

#include "common/fields.h"

#include <stddef.h>

/* The longest head with the empty line that ends it. */
#define CGI_HEAD_MAX ((size_t)64 * 1024)

/*
 * How long the head at the beginning of data is, with the empty line that ends it; 0 if that is still to
 * come.  Lines end in LF or CRLF.  What lies before from has been looked at by an earlier call.
 */
size_t cgi_head_len(const char *data, size_t len, size_t from);

/*
 * Reads a head with its empty line.  *ret_status is 200..599: what Status says, else 302 with a Location and
 * 200 without; *ret_fields (the caller's) are all others but those of the connection and of framing, which
 * are not the program's to say.  -EINVAL if it is malformed, or has none of Status, Location and
 * Content-Type, or one of them twice.
 */
__attribute__((warn_unused_result)) int cgi_parse_head(
	const char *head, size_t len, int *ret_status, struct fields *ret_fields);
