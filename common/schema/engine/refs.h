/*
 * $id, $anchor, $dynamicAnchor, $ref and $dynamicRef: which schema is meant, within the document.  Part of
 * the schema, see schema.h.
 */
#pragma once

#include "common/schema/engine/compiler.h"

extern const struct schema_vocabulary schema_refs_vocabulary;

/* Called before the keywords of a node are compiled: makes it the root of a resource if it has an $id
 * (compiler->resource is then that), and notes its anchors. */
void schema_refs_enter(struct schema_compiler *compiler, struct schema_node *node);

/* The resource of the whole document, whose URI is empty until the document's $id says otherwise. */
void schema_refs_add_document(struct schema_compiler *compiler);

/* Finds what all references refer to, once the document has been read. */
void schema_refs_resolve(struct schema_compiler *compiler);

/* Tells schemas that judge one value by each other in a circle, and chains of them beyond
 * SCHEMA_CHAIN_MAX. */
void schema_refs_check_chains(struct schema_compiler *compiler);
