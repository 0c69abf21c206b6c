/*
 * References.
 *
 * Reading the document makes a node of every place that must hold a schema.  Only then are references
 * resolved: a URI to a resource, and its fragment to an anchor or by a JSON Pointer to a place in it.  A
 * pointer may lead to a place that was not read as a schema (below an unknown keyword): that is made a node
 * then, and what references it has are resolved in turn.
 */
#include "common/schema/engine/refs.h"

#include "common/cleanup.h"
#include "common/json/pointer.h"
#include "common/schema/engine/run.h"
#include "common/schema/engine/uri.h"

#include <stdlib.h>
#include <string.h>

static struct schema_resource *
find_resource(const struct schema *schema, const char *uri)
{
	for (size_t i = 0; i < schema->resource_count; i++)
		if (strcmp(schema->resources[i]->uri, uri) == 0)
			return schema->resources[i];
	return NULL;
}

/* Takes uri. */
static struct schema_resource *
add_resource(struct schema_compiler *compiler, char *uri, struct schema_node *root)
{
	struct schema *schema = compiler->schema;
	struct schema_resource *resource = xcalloc(1, sizeof *resource);

	resource->uri = uri;
	resource->root = root;
	schema->resources =
		reallocarray(schema->resources, schema->resource_count + 1, sizeof *schema->resources);
	if (!schema->resources)
		abort();
	schema->resources[schema->resource_count++] = resource;
	return resource;
}

void
schema_refs_add_document(struct schema_compiler *compiler)
{
	compiler->resource = add_resource(compiler, xstrdup(""), NULL);
}

/* The value of a member if it is a string. */
static const char *
find_string(struct json_object *value, const char *name)
{
	struct json_object *member;

	if (!json_object_object_get_ex(value, name, &member) || schema_kind(member) != SCHEMA_STRING)
		return NULL;
	return json_object_get_string(member);
}

static void
enter_resource(struct schema_compiler *compiler, struct schema_node *node, const char *id)
{
	CLEANUP_FREE char *uri = schema_uri_resolve(compiler->resource->uri, id);
	bool is_document = !compiler->resource->root;

	if (strcmp(uri, compiler->resource->uri) == 0)
		return;
	if (find_resource(compiler->schema, uri)) {
		size_t before = json_pointer_enter(&compiler->pointer, "$id");
		schema_compiler_mistake(compiler, "is the $id of another schema");
		json_pointer_leave(&compiler->pointer, before);
		return;
	}
	if (is_document) {
		free(compiler->resource->uri);
		compiler->resource->uri = uri;
	} else {
		compiler->resource = add_resource(compiler, uri, node);
	}
	uri = NULL;
}

static const struct schema_anchor *
find_anchor(const struct schema_resource *resource, const char *name)
{
	for (size_t i = 0; i < resource->anchor_count; i++)
		if (strcmp(resource->anchors[i].name, name) == 0)
			return &resource->anchors[i];
	return NULL;
}

static void
add_anchor(struct schema_compiler *compiler, struct schema_node *node, const char *keyword, bool is_dynamic)
{
	struct schema_resource *resource = compiler->resource;
	const char *name = find_string(node->value, keyword);
	const struct schema_anchor *other = name ? find_anchor(resource, name) : NULL;

	if (!name)
		return;
	if (other && other->node != node) {
		size_t before = json_pointer_enter(&compiler->pointer, keyword);
		schema_compiler_mistake(compiler, "is the anchor of another schema");
		json_pointer_leave(&compiler->pointer, before);
		return;
	}
	resource->anchors =
		reallocarray(resource->anchors, resource->anchor_count + 1, sizeof *resource->anchors);
	if (!resource->anchors)
		abort();
	resource->anchors[resource->anchor_count++] =
		(struct schema_anchor){.name = name, .node = node, .is_dynamic = is_dynamic};
}

void
schema_refs_enter(struct schema_compiler *compiler, struct schema_node *node)
{
	const char *id = find_string(node->value, "$id");

	if (id)
		enter_resource(compiler, node, id);
	if (!compiler->resource->root)
		compiler->resource->root = node;
	node->resource = compiler->resource;
	add_anchor(compiler, node, "$dynamicAnchor", true);
	add_anchor(compiler, node, "$anchor", false);
}

/* The step that a token of a pointer makes from value; false if there is none. */
static bool
step(struct json_object *value, const char *token, struct json_object **ret_value)
{
	uint64_t index;

	if (schema_kind(value) == SCHEMA_OBJECT)
		return json_object_object_get_ex(value, token, ret_value);
	if (schema_kind(value) != SCHEMA_ARRAY || (token[0] == '0' && token[1]) ||
		text_parse_uint(token, strlen(token), SIZE_MAX, &index) < 0 ||
		index >= json_object_array_length(value))
		return false;
	*ret_value = json_object_array_get_idx(value, (size_t)index);
	return true;
}

/* Cuts the token that *at (behind a slash) begins with off, unescaped; leaves *at behind the next slash, or
 * NULL. */
static char *
take_token(char **at)
{
	char *token = *at, *to = token, *from = token;

	for (; *from && *from != '/'; from++) {
		*to = *from;
		if (*from == '~' && (from[1] == '0' || from[1] == '1'))
			*to = *++from == '0' ? '~' : '/';
		to++;
	}
	*at = *from ? from + 1 : NULL;
	*to = '\0';
	return token;
}

/* The node at pointer from the root of resource; NULL if there is none. */
static struct schema_node *
find_by_pointer(struct schema_compiler *compiler, struct schema_resource *resource, char *pointer)
{
	struct json_object *value = resource->root->value;
	struct text outer = compiler->pointer;
	struct schema_node *node = NULL;
	char *at = pointer + 1;
	bool found = true;

	compiler->pointer = (struct text){0};
	compiler->resource = resource;
	text_add_string(&compiler->pointer, resource->root->pointer);
	while (at && found) {
		char *token = take_token(&at);
		json_pointer_add(&compiler->pointer, token);
		found = step(value, token, &value);
		const struct schema_node *known = found ? schema_compiler_find(compiler, value) : NULL;
		if (known)
			compiler->resource = known->resource;
	}
	if (found && schema_kind(value) & (SCHEMA_OBJECT | SCHEMA_BOOLEAN))
		node = schema_compiler_add(compiler, value);
	text_fini(&compiler->pointer);
	compiler->pointer = outer;
	return node;
}

/* The node that fragment names in resource; *ret_anchor is its anchor if it is a dynamic one. */
static struct schema_node *
find_by_fragment(struct schema_compiler *compiler, struct schema_resource *resource, char *fragment,
	const char **ret_anchor)
{
	if (*fragment == '\0')
		return resource->root;
	if (*fragment == '/')
		return find_by_pointer(compiler, resource, fragment);
	for (size_t i = 0; i < resource->anchor_count; i++)
		if (resource->anchors[i].is_dynamic && strcmp(resource->anchors[i].name, fragment) == 0)
			*ret_anchor = resource->anchors[i].name;
	const struct schema_anchor *anchor = find_anchor(resource, fragment);
	return anchor ? anchor->node : NULL;
}

static struct schema_node *
find_target(
	struct schema_compiler *compiler, const struct schema_reference *reference, const char **ret_anchor)
{
	const char *text = json_object_get_string(reference->keyword->value);
	CLEANUP_FREE char *uri = schema_uri_resolve(reference->node->resource->uri, text);
	struct schema_resource *resource = find_resource(compiler->schema, uri);
	const char *mark = strchr(text, '#');
	const char *encoded = mark ? mark + 1 : "";
	CLEANUP_FREE char *fragment = xcalloc(strlen(encoded) + 1, 1);
	size_t len;

	if (!resource) {
		schema_compiler_mistake(compiler, "no remote references: %s is not in the document", uri);
		return NULL;
	}
	if (text_percent_decode(encoded, strlen(encoded), false, fragment, &len) < 0) {
		schema_compiler_mistake(compiler, "is no URI reference");
		return NULL;
	}
	struct schema_node *node = find_by_fragment(compiler, resource, fragment, ret_anchor);
	if (!node)
		schema_compiler_mistake(compiler, "there is no schema at %s", text);
	return node;
}

void
schema_refs_resolve(struct schema_compiler *compiler)
{
	/* References that are found on the way are added at the end. */
	for (size_t i = 0; i < compiler->reference_count; i++) {
		struct schema_reference reference = compiler->references[i];
		const char *anchor = NULL;
		text_clear(&compiler->pointer);
		text_add_string(&compiler->pointer, reference.node->pointer);
		json_pointer_add(&compiler->pointer, reference.keyword->type->name);
		reference.keyword->parts[0].node = find_target(compiler, &reference, &anchor);
		if (strcmp(reference.keyword->type->name, "$dynamicRef") == 0)
			reference.keyword->anchor = anchor;
	}
}

static unsigned measure_chain(struct schema_compiler *compiler, struct schema_node *node, unsigned depth);

/* The longest chain below node; anything once there was a mistake. */
static unsigned
measure_below(struct schema_compiler *compiler, struct schema_node *node, unsigned depth)
{
	unsigned longest = 0;

	for (size_t i = 0; i < node->keyword_count; i++) {
		const struct schema_keyword *keyword = &node->keywords[i];
		if (!keyword->type->in_place || keyword->anchor)
			continue;
		for (size_t j = 0; j < keyword->part_count; j++) {
			struct schema_node *part = keyword->parts[j].node;
			unsigned chain = part ? measure_chain(compiler, part, depth + 1) : 0;
			longest = chain > longest ? chain : longest;
		}
	}
	return longest;
}

static unsigned
measure_chain(struct schema_compiler *compiler, struct schema_node *node, unsigned depth)
{
	const char *mistake = NULL;

	if (node->chain > 0 || compiler->mistake_count > 0)
		return node->chain;
	if (node->in_chain)
		mistake = "refers to itself without coming to a part of the value";
	else if (depth > SCHEMA_CHAIN_MAX)
		mistake = "too many schemas, one within the other, for one value";
	if (mistake) {
		text_clear(&compiler->pointer);
		text_add_string(&compiler->pointer, node->pointer);
		schema_compiler_mistake(compiler, "%s", mistake);
		return 0;
	}
	node->in_chain = true;
	node->chain = 1 + measure_below(compiler, node, depth);
	node->in_chain = false;
	if (node->chain == SCHEMA_CHAIN_MAX + 1 && compiler->mistake_count == 0) {
		text_clear(&compiler->pointer);
		text_add_string(&compiler->pointer, node->pointer);
		schema_compiler_mistake(compiler, "too many schemas, one within the other, for one value");
	}
	return node->chain;
}

void
schema_refs_check_chains(struct schema_compiler *compiler)
{
	for (size_t i = 0; i < compiler->schema->node_count && compiler->mistake_count == 0; i++)
		measure_chain(compiler, compiler->schema->nodes[i], 1);
}

static bool
compile_reference(struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword)
{
	if (!schema_compiler_string(compiler, node, keyword))
		return false;
	schema_compiler_make_parts(keyword, 1);
	compiler->references = reallocarray(
		compiler->references, compiler->reference_count + 1, sizeof *compiler->references);
	if (!compiler->references)
		abort();
	compiler->references[compiler->reference_count++] = (struct schema_reference){node, keyword};
	return true;
}

static bool
compile_id(struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword)
{
	if (!schema_compiler_string(compiler, node, keyword))
		return false;
	const char *mark = strchr(json_object_get_string(keyword->value), '#');
	return !mark || !mark[1] || schema_compiler_mistake(compiler, "must not have a fragment");
}

/* ^[A-Za-z_][-A-Za-z0-9._]*$ (Core, 8.2.2) */
static bool
compile_anchor(struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
	static const char others[] = "-.0123456789";

	if (!schema_compiler_string(compiler, node, keyword))
		return false;
	const char *name = json_object_get_string(keyword->value);
	bool good = *name && strchr(letters, *name);
	for (; good && *name; name++)
		good = strchr(letters, *name) || strchr(others, *name);
	return good || schema_compiler_mistake(compiler, "is no name of an anchor");
}

static bool
compile_dialect(struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword)
{
	static const char dialect[] = "https://json-schema.org/draft/2020-12/schema";

	if (!schema_compiler_string(compiler, node, keyword))
		return false;
	const char *uri = json_object_get_string(keyword->value);
	size_t len = strlen(uri);
	len -= len > 0 && uri[len - 1] == '#';
	return (len == strlen(dialect) && memcmp(uri, dialect, len) == 0) ||
	       schema_compiler_mistake(compiler, "only %s is understood", dialect);
}

static bool
check_ref(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	return schema_run_apply_here(frame, keyword->parts[0].node);
}

/* The node with the dynamic anchor in the outermost resource of the dynamic scope that has one (Core,
 * 8.2.3.2). */
static const struct schema_node *
find_dynamic(const struct schema_frame *frame, const char *name)
{
	const struct schema_resource *seen = NULL;
	const struct schema_node *found = NULL;

	for (; frame; frame = frame->outer) {
		if (frame->node->resource == seen)
			continue;
		seen = frame->node->resource;
		for (size_t i = 0; i < seen->anchor_count; i++)
			if (seen->anchors[i].is_dynamic && strcmp(seen->anchors[i].name, name) == 0)
				found = seen->anchors[i].node;
	}
	return found;
}

static bool
check_dynamic_ref(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	const struct schema_node *node = keyword->parts[0].node;

	if (keyword->anchor) {
		const struct schema_node *found = find_dynamic(frame, keyword->anchor);
		if (!schema_run_spend(frame->run, frame->depth))
			return false;
		node = found ? found : node;
	}
	return schema_run_apply_here(frame, node);
}

static const struct schema_keyword_type types[] = {
	{"$schema", SCHEMA_ANY, false, compile_dialect, NULL},
	{"$id", SCHEMA_ANY, false, compile_id, NULL},
	{"$anchor", SCHEMA_ANY, false, compile_anchor, NULL},
	{"$dynamicAnchor", SCHEMA_ANY, false, compile_anchor, NULL},
	{"$defs", SCHEMA_ANY, false, schema_compiler_map, NULL},
	{"definitions", SCHEMA_ANY, false, schema_compiler_map, NULL},
	{"$ref", SCHEMA_ANY, true, compile_reference, check_ref},
	{"$dynamicRef", SCHEMA_ANY, true, compile_reference, check_dynamic_ref},
};

const struct schema_vocabulary schema_refs_vocabulary = {types, sizeof types / sizeof *types};
