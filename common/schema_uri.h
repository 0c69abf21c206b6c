/* URI references (RFC 3986): taken apart, resolved, judged.  Part of the schema, see schema.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct schema_uri_part {
	const char *data; /* NULL: the part is not there, which is not the same as empty */
	size_t len;
};

/* A view of a URI reference; path is always there. */
struct schema_uri {
	struct schema_uri_part scheme;
	struct schema_uri_part authority;
	struct schema_uri_part path;
	struct schema_uri_part query;
	struct schema_uri_part fragment;
};

/* Takes any text apart (RFC 3986, appendix B). */
void schema_uri_split(const char *text, size_t len, struct schema_uri *ret_uri);

/* The reference as seen from base, without its fragment (RFC 3986, 5.2): a new string.  A base may be
 * relative itself. */
char *schema_uri_resolve(const char *base, const char *reference);

/* Whether text is a URI (with a scheme) by the grammar. */
bool schema_uri_is_valid(const char *text, size_t len);
