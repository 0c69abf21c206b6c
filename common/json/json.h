/*
 * JSON (RFC 8259) by json-c, with what it leaves to its caller: limits on depth and size of what a client
 * sends, repeated members refused, the place of a mistake, and JSON Pointers (RFC 6901).
 */
#pragma once

#include "common/text.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

/* How deep arrays and objects may nest. */
#define JSON_DEPTH_MAX 64

struct json_mistake {
	size_t line;	    /* from 1 */
	size_t column;	    /* from 1, in bytes */
	const char *reason; /* a constant: "unexpected character", "repeated member", ... */
};

/*
 * Parses one JSON text, strictly: UTF-8, one value and white space, nothing else, no repeated member, nesting
 * of at most JSON_DEPTH_MAX.  0 and *ret_value (the caller's; NULL is JSON's null), or -EINVAL and
 * *ret_mistake.  Whole numbers beyond 64 bits become doubles, and are so marked by their text
 * (json_object_new_double_s). Any thread.
 */
__attribute__((warn_unused_result)) int json_parse(
	const char *data, size_t len, struct json_object **ret_value, struct json_mistake *ret_mistake);

/* The same for a text of our operator, which may have comments, // to the end of the line and between
 * slash-star and star-slash. */
__attribute__((warn_unused_result)) int json_parse_with_comments(
	const char *data, size_t len, struct json_object **ret_value, struct json_mistake *ret_mistake);

/* The value at path, names of members ended by NULL; NULL where there is none. */
struct json_object *json_find(struct json_object *value, ...) __attribute__((sentinel));

static inline void
cleanup_json(struct json_object **value)
{
	json_object_put(*value);
}
