/* A schema being compiled. */
#include "common/schema/engine/compiler.h"

#include "common/cleanup.h"
#include "common/json/json.h"
#include "common/json/pointer.h"
#include "common/list.h"
#include "common/schema/regex/regex.h"

#include <stdlib.h>
#include <string.h>

#define HINT_MAX_BYTES 80

/* How a node is found by its value. */
struct known_node {
	struct hash_node link;
	struct json_object *value;
	struct schema_node *node;
};

void
schema_compiler_init(struct schema_compiler *compiler)
{
	hash_init(&compiler->nodes);
	text_add(&compiler->pointer, "", 0);
}

static void
forget_node(struct hash_node *link, void *arg)
{
	hash_remove(arg, link);
	free(container_of(link, struct known_node, link));
}

void
schema_compiler_fini(struct schema_compiler *compiler)
{
	hash_each(&compiler->nodes, forget_node, &compiler->nodes);
	hash_fini(&compiler->nodes);
	text_fini(&compiler->pointer);
	free(compiler->references);
}

/* Adds a line of text: control characters would break it. */
static void
add_printable(struct text *text, const char *string)
{
	for (; *string; string++) {
		if ((unsigned char)*string < 0x20 || *string == 0x7f)
			text_addf(text, "\\u%04x", (unsigned char)*string);
		else
			text_add_char(text, *string);
	}
}

bool
schema_compiler_mistake(struct schema_compiler *compiler, const char *format, ...)
{
	CLEANUP(text_fini) struct text reason = {0};
	va_list args;

	if (compiler->mistake_count++ >= SCHEMA_MISTAKES_MAX)
		return false;
	va_start(args, format);
	text_addv(&reason, format, args);
	va_end(args);
	if (compiler->pointer.len > 0)
		add_printable(compiler->mistakes, compiler->pointer.data);
	text_add_string(compiler->mistakes, ": ");
	add_printable(compiler->mistakes, reason.data);
	text_add_char(compiler->mistakes, '\n');
	return false;
}

struct schema_node *
schema_compiler_find(const struct schema_compiler *compiler, struct json_object *value)
{
	uint64_t hash = hash_bytes(&compiler->nodes, &value, sizeof value);

	for (struct hash_node *link = hash_find(&compiler->nodes, hash); link; link = hash_find_next(link)) {
		struct known_node *known = container_of(link, struct known_node, link);
		if (known->value == value)
			return known->node;
	}
	return NULL;
}

static struct schema_node *
add_node(struct schema_compiler *compiler, struct json_object *value)
{
	struct schema *schema = compiler->schema;
	struct schema_node *node = xcalloc(1, sizeof *node);
	struct known_node *known = xcalloc(1, sizeof *known);

	node->value = value;
	node->pointer = xstrndup(compiler->pointer.data ? compiler->pointer.data : "", compiler->pointer.len);
	node->resource = compiler->resource;
	schema->nodes = reallocarray(schema->nodes, schema->node_count + 1, sizeof *schema->nodes);
	if (!schema->nodes)
		abort();
	schema->nodes[schema->node_count++] = node;
	known->value = value;
	known->node = node;
	hash_add(&compiler->nodes, &known->link, hash_bytes(&compiler->nodes, &value, sizeof value));
	return node;
}

static void
compile_keyword(
	struct schema_compiler *compiler, struct schema_node *node, const struct schema_keyword_type *type)
{
	struct json_object *value;

	if (!json_object_object_get_ex(node->value, type->name, &value))
		return;
	struct schema_keyword *keyword = &node->keywords[node->keyword_count++];
	keyword->type = type;
	keyword->value = value;
	size_t before = json_pointer_enter(&compiler->pointer, type->name);
	type->compile(compiler, node, keyword);
	json_pointer_leave(&compiler->pointer, before);
}

/* Keywords beyond the vocabularies are ignored (Core, 4.3.1). */
static size_t
count_known(const struct schema_compiler *compiler, struct json_object *value)
{
	size_t count = 0;

	for (const struct schema_vocabulary *const *vocabulary = compiler->vocabularies; *vocabulary;
		vocabulary++)
		for (size_t i = 0; i < (*vocabulary)->count; i++)
			count += (size_t)json_object_object_get_ex(value, (*vocabulary)->types[i].name, NULL);
	return count;
}

static void
compile_object(struct schema_compiler *compiler, struct schema_node *node)
{
	struct schema_resource *outer = compiler->resource;

	compiler->enter(compiler, node);
	node->keywords = xcalloc(count_known(compiler, node->value), sizeof *node->keywords);
	for (const struct schema_vocabulary *const *vocabulary = compiler->vocabularies; *vocabulary;
		vocabulary++)
		for (size_t i = 0; i < (*vocabulary)->count; i++)
			compile_keyword(compiler, node, &(*vocabulary)->types[i]);
	node->has_unevaluated =
		schema_node_find(node, "unevaluatedItems") || schema_node_find(node, "unevaluatedProperties");
	compiler->resource = outer;
}

struct schema_node *
schema_compiler_add(struct schema_compiler *compiler, struct json_object *value)
{
	unsigned kind = schema_kind(value);
	struct schema_node *node;

	if (!(kind & (SCHEMA_OBJECT | SCHEMA_BOOLEAN))) {
		schema_compiler_mistake(compiler, "must be a schema, an object or a boolean");
		return NULL;
	}
	node = schema_compiler_find(compiler, value);
	if (node)
		return node;
	node = add_node(compiler, value);
	if (kind == SCHEMA_OBJECT)
		compile_object(compiler, node);
	else
		node->verdict = json_object_get_boolean(value) ? SCHEMA_IS_TRUE : SCHEMA_IS_FALSE;
	return node;
}

void
schema_compiler_make_parts(struct schema_keyword *keyword, size_t count)
{
	keyword->parts = xcalloc(count, sizeof *keyword->parts);
	keyword->part_count = count;
}

bool
schema_compiler_one(
	struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword)
{
	schema_compiler_make_parts(keyword, 1);
	keyword->parts[0].node = schema_compiler_add(compiler, keyword->value);
	return keyword->parts[0].node;
}

bool
schema_compiler_list(
	struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword)
{
	if (schema_kind(keyword->value) != SCHEMA_ARRAY || json_object_array_length(keyword->value) == 0)
		return schema_compiler_mistake(compiler, "must be a list of schemas, not empty");
	schema_compiler_make_parts(keyword, json_object_array_length(keyword->value));
	for (size_t i = 0; i < keyword->part_count; i++) {
		size_t before = json_pointer_enter_index(&compiler->pointer, i);
		keyword->parts[i].node =
			schema_compiler_add(compiler, json_object_array_get_idx(keyword->value, i));
		json_pointer_leave(&compiler->pointer, before);
	}
	return true;
}

bool
schema_compiler_map(
	struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword)
{
	size_t i = 0;

	if (schema_kind(keyword->value) != SCHEMA_OBJECT)
		return schema_compiler_mistake(compiler, "must be an object of schemas");
	schema_compiler_make_parts(keyword, (size_t)json_object_object_length(keyword->value));
	json_object_object_foreach(keyword->value, name, value)
	{
		size_t before = json_pointer_enter(&compiler->pointer, name);
		keyword->parts[i].name = name;
		keyword->parts[i].value = value;
		keyword->parts[i++].node = schema_compiler_add(compiler, value);
		json_pointer_leave(&compiler->pointer, before);
	}
	return true;
}

bool
schema_compiler_count(
	struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword)
{
	struct schema_number number;

	if (schema_kind(keyword->value) == SCHEMA_NUMBER) {
		schema_number_read(keyword->value, &number);
		if (schema_number_to_count(&number, &keyword->limit) == 0)
			return true;
	}
	return schema_compiler_mistake(compiler, "must be a whole number, 0 or more");
}

bool
schema_compiler_number(
	struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword)
{
	if (schema_kind(keyword->value) != SCHEMA_NUMBER)
		return schema_compiler_mistake(compiler, "must be a number");
	schema_number_read(keyword->value, &keyword->number);
	keyword->hint = schema_compiler_hint(keyword->value);
	return true;
}

bool
schema_compiler_string(
	struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword)
{
	return schema_kind(keyword->value) == SCHEMA_STRING ||
	       schema_compiler_mistake(compiler, "must be a string");
}

bool
schema_compiler_flag(
	struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword)
{
	return schema_kind(keyword->value) == SCHEMA_BOOLEAN ||
	       schema_compiler_mistake(compiler, "must be true or false");
}

bool
schema_compiler_values(
	struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword)
{
	return schema_kind(keyword->value) == SCHEMA_ARRAY ||
	       schema_compiler_mistake(compiler, "must be a list");
}

bool
schema_compiler_any(
	struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword)
{
	return true;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool
has_repeated(struct json_object *names)
{
	size_t count = json_object_array_length(names);
	CLEANUP_FREE const char **sorted = xcalloc(count, sizeof *sorted);

	for (size_t i = 0; i < count; i++)
		sorted[i] = json_object_get_string(json_object_array_get_idx(names, i));
	qsort(sorted, count, sizeof *sorted, compare_names);
	for (size_t i = 1; i < count; i++)
		if (strcmp(sorted[i - 1], sorted[i]) == 0)
			return true;
	return false;
}

bool
schema_compiler_is_names(struct json_object *value)
{
	bool good = schema_kind(value) == SCHEMA_ARRAY;

	for (size_t i = 0; good && i < json_object_array_length(value); i++)
		good = schema_kind(json_object_array_get_idx(value, i)) == SCHEMA_STRING;
	return good && !has_repeated(value);
}

bool
schema_compiler_names(
	struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword)
{
	if (!schema_compiler_is_names(keyword->value))
		return schema_compiler_mistake(compiler, "must be a list of names, none of them twice");
	schema_compiler_make_parts(keyword, json_object_array_length(keyword->value));
	for (size_t i = 0; i < keyword->part_count; i++)
		keyword->parts[i].name = json_object_get_string(json_object_array_get_idx(keyword->value, i));
	return true;
}

struct schema_regex *
schema_compiler_regex(struct schema_compiler *compiler, const char *pattern, size_t len)
{
	CLEANUP(text_fini) struct text reason = {0};
	struct schema_regex *regex = NULL;

	if (schema_regex_compile(pattern, len, &regex, &reason) < 0)
		schema_compiler_mistake(compiler, "is no regular expression: %s", reason.data);
	return regex;
}

char *
schema_compiler_hint(struct json_object *value)
{
	struct text hint = {0};
	size_t len;
	const char *json = json_object_to_json_string_length(
		value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);

	text_add(&hint, json, len);
	if (len > HINT_MAX_BYTES) {
		len = HINT_MAX_BYTES;
		while (len > 0 && ((unsigned char)json[len] & 0xc0) == 0x80)
			len--;
		hint.len = len;
		text_add_string(&hint, "...");
	}
	return text_take(&hint);
}
