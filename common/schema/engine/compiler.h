/*
 * A schema being compiled: where in the document it is, what mistakes were found, and the ways to read a
 * keyword's value that many keywords share.  Part of the schema, see schema.h.
 */
#pragma once

#include "common/hash.h"
#include "common/schema/engine/node.h"

/* How many mistakes are told. */
#define SCHEMA_MISTAKES_MAX 20

/* A $ref or $dynamicRef that is still to be resolved. */
struct schema_reference {
	struct schema_node *node;
	struct schema_keyword *keyword;
};

struct schema_compiler {
	struct schema *schema;

	/* in the order in which the keywords of a node are compiled and judged; ended by NULL */
	const struct schema_vocabulary *const *vocabularies;

	/* called before the keywords of a node are compiled; may change resource for this node and those below */
	void (*enter)(struct schema_compiler *compiler, struct schema_node *node);

	struct text pointer;		  /* where in the document it is */
	struct schema_resource *resource; /* and in which resource */
	struct text *mistakes;		  /* the caller's */
	unsigned mistake_count;
	struct hash nodes; /* those made so far, by the values that they were made of */
	struct schema_reference *references;
	size_t reference_count;
};

/* Makes ready a compiler whose schema, vocabularies, enter and mistakes are set. */
void schema_compiler_init(struct schema_compiler *compiler);
void schema_compiler_fini(struct schema_compiler *compiler);

/* Tells a mistake at the pointer; false always. */
__attribute__((format(printf, 2, 3))) bool schema_compiler_mistake(
	struct schema_compiler *compiler, const char *format, ...);

/* The node of value, which the pointer points at: the one there is or a new one.  NULL after a mistake. */
struct schema_node *schema_compiler_add(struct schema_compiler *compiler, struct json_object *value);

/* The node that was made of value, NULL if there is none. */
struct schema_node *schema_compiler_find(const struct schema_compiler *compiler, struct json_object *value);

/* Room for count more parts in a keyword that has none. */
void schema_compiler_make_parts(struct schema_keyword *keyword, size_t count);

/* The `compile` of keywords whose value is: a schema, a list of schemas (not empty), an object of schemas */
bool schema_compiler_one(
	struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword);
bool schema_compiler_list(
	struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword);
bool schema_compiler_map(
	struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword);

/* ... a whole number of 0 or more (limit), a number (number, hint) */
bool schema_compiler_count(
	struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword);
bool schema_compiler_number(
	struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword);

/* ... a string, true or false, a list, anything */
bool schema_compiler_string(
	struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword);
bool schema_compiler_flag(
	struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword);
bool schema_compiler_values(
	struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword);
bool schema_compiler_any(
	struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword);

/* ... a list of names, none of them twice (parts) */
bool schema_compiler_names(
	struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword);

/* Whether value is a list of strings, none of them twice. */
bool schema_compiler_is_names(struct json_object *value);

/* The pattern compiled; NULL after a mistake. */
struct schema_regex *schema_compiler_regex(struct schema_compiler *compiler, const char *pattern, size_t len);

/* A value of the schema as JSON for a message, cut if it is long; the caller's. */
char *schema_compiler_hint(struct json_object *value);
