/* URI references (RFC 3986): resolved and checked.  Part of the schema, see schema.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The reference as seen from base, without its fragment (RFC 3986, 5.2): a new string.  A base may be
 * relative itself. */
char *schema_uri_resolve(const char *base, const char *reference);

/* Whether text is a URI (with a scheme) by the grammar. */
bool schema_uri_is_valid(const char *text, size_t len);
