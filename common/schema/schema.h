/*
 * JSON Schema, draft 2020-12: compiled once when the configuration is read, then used by any number of
 * threads.
 *
 * What is asserted: the core, applicator, unevaluated and validation vocabularies.  `format` is an annotation
 * unless asked for; content, title, examples and the like are checked for their form and otherwise ignored,
 * as are unknown keywords; `dependencies` of earlier drafts is asserted.  References stay within the document
 * ($id, $anchor, $dynamicAnchor and JSON Pointers); nothing is fetched.
 *
 * Numbers are compared as the decimals they were written as, of any size: 1.0 is an integer, 0.1 is 0.1, 2^64
 * + 1 is not 2^64.  Not exact: exponents beyond 10^15 count as 10^15, and a double that no text came with is
 * read as the shortest decimal that gives it.  A multipleOf must have a significand (its digits without the
 * zeros at both ends) below 2^64.
 *
 * Patterns are regular expressions of ECMA-262 with the u flag, rewritten for PCRE2.  They differ in that "."
 * matches U+2028 and U+2029, that lookbehinds must be of fixed length, and in that set notation (the v flag)
 * is not known.
 *
 * Time: everything costs steps, of which a validation has SCHEMA_STEPS and one match of a pattern
 * SCHEMA_MATCH_STEPS and half a step a byte.  The count depends on the schema and the value alone, so a
 * verdict is the same on a loaded machine.  A step takes about 5 ns where it was measured, and 15 at worst: a
 * match ends within some 20 ms (40 for a text of 8 MiB), and a validation within 1 s (2 s).
 */
#pragma once

#include "common/text.h"

#include <stdbool.h>
#include <stdint.h>

struct json_object;
struct schema;

/* The limits of a validation, and of one match within it. */
#define SCHEMA_STEPS 200000000
#define SCHEMA_MATCH_STEPS 3000000

/* How many violations are told; the search ends with the last of them. */
#define SCHEMA_VIOLATIONS_MAX 100

/* A pointer that would be longer points at the nearest value around that fits. */
#define SCHEMA_POINTER_MAX_BYTES 1024

/* How many subschemas may be under way at a time, one within the other; and how many of them at one place. */
#define SCHEMA_DEPTH_MAX 500
#define SCHEMA_CHAIN_MAX 100

/* How many values (JSON values, within others or not) one call fills in. */
#define SCHEMA_FILLED_MAX 100000

/* All zero is the default.  The formats that can be asserted: date-time, date, time, duration, email,
 * hostname, ipv4, ipv6, uri, uuid, json-pointer, regex; others, and unknown ones, stay annotations. */
struct schema_options {
	bool assert_formats;
	uint64_t max_steps; /* 0: SCHEMA_STEPS */
};

/*
 * Compiles document, which is copied.  0, or -EINVAL and ret_mistake has a line (with its "\n") for each
 * mistake, at most 20: the JSON Pointer into the document, ": " and the reason, as in "/properties/a/type: is
 * no type".  A document that nests deeper than JSON_DEPTH_MAX is a mistake; so are a $schema that is not
 * 2020-12's, a $ref to what is not there, and schemas that refer to each other without ever coming to a part
 * of the value.
 */
__attribute__((warn_unused_result)) int schema_compile(struct json_object *document,
	const struct schema_options *options, struct schema **ret_schema, struct text *ret_mistake);

/* NULL is allowed.  No thread may use the schema any more. */
void schema_free(struct schema *schema);

/*
 * Judges instance, which must not nest deeper than JSON_DEPTH_MAX and is only read.  0 if it is valid; else
 * -EINVAL and *ret_errors (the caller's) is an array of {"pointer","keyword","message"}, a JSON Pointer into
 * the instance, the keyword it violates, and what it would have to be: in words of the schema, never of the
 * instance.  ret_errors may be NULL: then the first violation ends it.
 *
 * A value that a pattern takes too many steps for violates "pattern" (or whichever keyword has the pattern),
 * even where its match would have been optional; one that takes too many altogether, or more than
 * SCHEMA_DEPTH_MAX, violates "limit", as the last error.  Any thread.
 */
__attribute__((warn_unused_result)) int schema_validate(
	const struct schema *schema, struct json_object *instance, struct json_object **ret_errors);

/*
 * Fills in what instance lacks and the schema has a `default` for: members of `properties`, at every depth,
 * through the items of arrays and through $ref and allOf (not through anyOf, oneOf, not, if, $dynamicRef or
 * any other).  What is there is never changed, null included.  The nearest default wins, that is the one with
 * fewer $ref and allOf on the way; where two equally near ones differ, none is filled in.  0, or -E2BIG when
 * it would be more than SCHEMA_FILLED_MAX values or would nest deeper than JSON_DEPTH_MAX: instance is then
 * partly filled and fit for nothing.  Any thread, but instance is the caller's alone.
 */
__attribute__((warn_unused_result)) int schema_fill_defaults(
	const struct schema *schema, struct json_object *instance);
