/*
 * The inside of a compiled schema, which the files schema_*.c share and nobody else includes; see schema.h.
 *
 * Each schema of the document (an object or a boolean) is a node, each keyword in it that is known a struct
 * schema_keyword with what its value was compiled to.  What a keyword means is a row (struct
 * schema_keyword_type) of one of the vocabularies, which schema_keywords.c lists in the order in which a
 * node's keywords are judged.
 */
#pragma once

#include "common/schema/engine/number.h"
#include "common/schema/schema.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct schema_compiler;
struct schema_format;
struct schema_frame;
struct schema_keyword;
struct schema_node;
struct schema_regex;

/* Kinds of values, as sets. */
enum {
	SCHEMA_NULL = 1 << 0,
	SCHEMA_BOOLEAN = 1 << 1,
	SCHEMA_NUMBER = 1 << 2,
	SCHEMA_STRING = 1 << 3,
	SCHEMA_ARRAY = 1 << 4,
	SCHEMA_OBJECT = 1 << 5,
	SCHEMA_ANY = (1 << 6) - 1,
	SCHEMA_INTEGER = 1 << 6, /* in the value of `type` only: not all numbers */
};

/* One bit of the above, for JSON's null too. */
unsigned schema_kind(struct json_object *value);

struct schema_keyword_type {
	const char *name;
	unsigned kinds; /* of values that the keyword judges; it says nothing about others */
	bool in_place;	/* its subschemas judge the same value as it does, not a part of it */

	/* Reads the keyword's value; false once the mistake is told. */
	bool (*compile)(
		struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword);

	/* Judges the frame's value; false once the violation is told.  NULL: there is nothing to judge. */
	bool (*check)(struct schema_frame *frame, const struct schema_keyword *keyword);
};

struct schema_vocabulary {
	const struct schema_keyword_type *types;
	size_t count;
};

/* One of the things that a keyword's value is made of; what it has depends on the keyword. */
struct schema_part {
	const char *name; /* of the member, or the pattern; NULL in a list */
	struct schema_node *node;
	struct schema_regex *regex;
	struct json_object *value;
};

struct schema_keyword {
	const struct schema_keyword_type *type;
	struct json_object *value; /* of the document */
	struct schema_part *parts;
	size_t part_count;
	const struct schema_keyword *siblings[2]; /* others of the node that it depends on, or NULL */
	uint64_t limit;				  /* a count, a set of kinds, a significand */
	struct schema_number number;
	const struct schema_format *format;
	const char *anchor; /* of a $dynamicRef that is looked up at each use; NULL for others */
	char *hint;	    /* the value for a message, cut if it is long */
};

struct schema_anchor {
	const char *name;
	struct schema_node *node;
	bool is_dynamic;
};

/* A part of the document with a URI of its own: the whole, and each schema with $id (JSON Schema Core,
 * 4.3.5). */
struct schema_resource {
	char *uri; /* absolute if the document says so, without fragment */
	struct schema_node *root;
	struct schema_anchor *anchors;
	size_t anchor_count;
};

enum schema_verdict { SCHEMA_ASKS_KEYWORDS, SCHEMA_IS_TRUE, SCHEMA_IS_FALSE };

struct schema_node {
	struct json_object *value; /* of the document */
	char *pointer;		   /* in the document */
	struct schema_resource *resource;
	enum schema_verdict verdict; /* true and false are schemas */
	bool has_unevaluated;	     /* one of the keywords unevaluatedItems and unevaluatedProperties */
	struct schema_keyword *keywords;
	size_t keyword_count;

	/* for schema_refs.c, while compiling */
	unsigned chain; /* how many nodes judge one value, from this one on; 0: not yet known */
	bool in_chain;	/* the search for loops is in it */

	/* for schema_defaults.c: keywords that may be there, */
	const struct schema_keyword *properties, *prefix_items, *items, *ref, *all_of;
	const struct schema_keyword *default_value; /* its own or the nearest through $ref and allOf */
	bool has_defaults; /* there may be something to fill in, in a value or its parts */
};

struct schema {
	struct json_object *document; /* a copy; once compiled, not even its references are counted */
	struct schema_options options;
	struct schema_node **nodes;
	size_t node_count;
	struct schema_resource **resources;
	size_t resource_count;
	struct schema_node *root;
	uint8_t hash_key[16]; /* for values within arrays whose items are to be unique */
};

/* The keyword of that name, NULL if the node has none. */
const struct schema_keyword *schema_node_find(const struct schema_node *node, const char *name);

/* The part of that name of a keyword whose parts are sorted (properties), NULL if there is none or keyword is
 * NULL. */
const struct schema_part *schema_keyword_find_part(const struct schema_keyword *keyword, const char *name);

/* Frees what a node has, and itself. */
void schema_node_free(struct schema_node *node);
