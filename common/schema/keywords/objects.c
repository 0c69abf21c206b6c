/* The keywords on objects (Core, 10.2.2.4 and 10.3.2; Validation, 6.5), unevaluatedProperties excepted.  See
 * schema_node.h. */
#include "common/json/pointer.h"
#include "common/schema/engine/compiler.h"
#include "common/schema/engine/run.h"
#include "common/schema/keywords/keywords.h"
#include "common/schema/regex/regex.h"

#include <stdlib.h>
#include <string.h>

static size_t
count_members(const struct schema_frame *frame)
{
	return (size_t)json_object_object_length(frame->spot->value);
}

static bool
has_member(const struct schema_frame *frame, const char *name)
{
	return json_object_object_get_ex(frame->spot->value, name, NULL);
}

static int
compare_parts(const void *a, const void *b)
{
	return strcmp(((const struct schema_part *)a)->name, ((const struct schema_part *)b)->name);
}

static bool
compile_properties(struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword)
{
	if (!schema_compiler_map(compiler, node, keyword))
		return false;
	qsort(keyword->parts, keyword->part_count, sizeof *keyword->parts, compare_parts);
	return true;
}

static bool
check_properties(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	bool good = true;
	size_t at = 0;

	json_object_object_foreach(frame->spot->value, name, value)
	{
		const struct schema_part *part = schema_keyword_find_part(keyword, name);
		if (part) {
			good &= schema_run_apply_member(frame, part->node, name, value);
			schema_marks_set(frame->marks, at);
		}
		at++;
		if (!schema_run_spend(frame->run, 4) || (!good && frame->run->quiet > 0))
			return false;
	}
	return good;
}

static bool
compile_patterns(struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword)
{
	if (!schema_compiler_map(compiler, node, keyword))
		return false;
	for (size_t i = 0; i < keyword->part_count; i++) {
		struct schema_part *part = &keyword->parts[i];
		size_t before = json_pointer_enter(&compiler->pointer, part->name);
		part->regex = schema_compiler_regex(compiler, part->name, strlen(part->name));
		json_pointer_leave(&compiler->pointer, before);
	}
	return true;
}

static bool
check_patterns(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	bool good = true;
	size_t at = 0;

	json_object_object_foreach(frame->spot->value, name, value)
	{
		size_t len = strlen(name);
		for (size_t i = 0; i < keyword->part_count; i++) {
			if (!schema_run_matches(frame, keyword->parts[i].regex, name, len))
				continue;
			good &= schema_run_apply_member(frame, keyword->parts[i].node, name, value);
			schema_marks_set(frame->marks, at);
		}
		at++;
		if (!schema_run_spend(frame->run, 2 + len / 32) || (!good && frame->run->quiet > 0))
			return false;
	}
	return good;
}

static bool
compile_additional(struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword)
{
	keyword->siblings[0] = schema_node_find(node, "properties");
	keyword->siblings[1] = schema_node_find(node, "patternProperties");
	return schema_compiler_one(compiler, node, keyword);
}

/* Whether the member is none that the siblings of additionalProperties name. */
static bool
is_additional(struct schema_frame *frame, const struct schema_keyword *keyword, const char *name)
{
	const struct schema_keyword *patterns = keyword->siblings[1];

	if (schema_keyword_find_part(keyword->siblings[0], name))
		return false;
	if (!patterns)
		return true;
	size_t len = strlen(name);
	for (size_t i = 0; i < patterns->part_count; i++)
		if (schema_run_matches(frame, patterns->parts[i].regex, name, len))
			return false;
	return true;
}

static bool
check_additional(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	bool good = true;

	json_object_object_foreach(frame->spot->value, name, value)
	{
		if (is_additional(frame, keyword, name))
			good &= schema_run_apply_member(frame, keyword->parts[0].node, name, value);
		if (!schema_run_spend(frame->run, 4) || (!good && frame->run->quiet > 0))
			return false;
	}
	schema_marks_set_all(frame->marks);
	return good;
}

static bool
check_name(struct schema_frame *frame, const struct schema_keyword *keyword, const char *name)
{
	struct json_object *value = json_object_new_string(name);
	struct schema_spot spot = {.outer = frame->spot, .name = name, .value = value, .is_name = true};

	if (!value)
		abort();
	bool good = schema_run_apply(frame->run, frame, keyword->parts[0].node, &spot, NULL);
	json_object_put(value);
	return good;
}

static bool
check_names(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	bool good = true;

	json_object_object_foreach(frame->spot->value, name, value)
	{
		(void)value;
		good &= check_name(frame, keyword, name);
		if (!schema_run_spend(frame->run, 8 + strlen(name) / 16) || (!good && frame->run->quiet > 0))
			return false;
	}
	return good;
}

static bool
check_required(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	bool good = true;

	for (size_t i = 0; i < keyword->part_count && !frame->run->stopped; i++)
		if (!schema_run_spend(frame->run, 4) || !has_member(frame, keyword->parts[i].name))
			good = schema_run_violate(
				frame, "required", "must have the member \"%s\"", keyword->parts[i].name);
	return good;
}

/* An object whose values are lists of names or, where those may be too, schemas. */
static bool
compile_dependents(struct schema_compiler *compiler, struct schema_keyword *keyword, bool or_schemas)
{
	bool good = schema_kind(keyword->value) == SCHEMA_OBJECT;
	size_t i = 0;

	if (!good)
		return schema_compiler_mistake(compiler, "must be an object");
	schema_compiler_make_parts(keyword, (size_t)json_object_object_length(keyword->value));
	json_object_object_foreach(keyword->value, name, value)
	{
		struct schema_part *part = &keyword->parts[i++];
		size_t before = json_pointer_enter(&compiler->pointer, name);
		part->name = name;
		if (or_schemas && schema_kind(value) != SCHEMA_ARRAY)
			part->node = schema_compiler_add(compiler, value);
		else if (schema_compiler_is_names(value))
			part->value = value;
		else
			good = schema_compiler_mistake(
				compiler, "must be a list of names, none of them twice");
		json_pointer_leave(&compiler->pointer, before);
	}
	return good;
}

static bool
compile_dependent_required(
	struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword)
{
	return compile_dependents(compiler, keyword, false);
}

static bool
compile_dependencies(
	struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword)
{
	return compile_dependents(compiler, keyword, true);
}

static bool
check_dependent_names(struct schema_frame *frame, const struct schema_part *part)
{
	bool good = true;

	for (size_t i = 0; i < json_object_array_length(part->value); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(part->value, i));
		if (!schema_run_spend(frame->run, 4))
			return false;
		if (!has_member(frame, name))
			good = schema_run_violate(frame, frame->keyword->type->name,
				"must have the member \"%s\", since it has \"%s\"", name, part->name);
	}
	return good;
}

/* Of dependentRequired, dependentSchemas and dependencies, which is both. */
static bool
check_dependents(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	bool good = true;

	for (size_t i = 0; i < keyword->part_count && schema_run_spend(frame->run, 4); i++) {
		const struct schema_part *part = &keyword->parts[i];
		if (!has_member(frame, part->name))
			continue;
		if (part->node)
			good &= schema_run_apply_here(frame, part->node);
		else
			good &= check_dependent_names(frame, part);
	}
	return good;
}

static bool
check_min_properties(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	return count_members(frame) >= keyword->limit ||
	       schema_run_violate_count(frame, "minProperties", "least", keyword->limit, "member");
}

static bool
check_max_properties(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	return count_members(frame) <= keyword->limit ||
	       schema_run_violate_count(frame, "maxProperties", "most", keyword->limit, "member");
}

static const struct schema_keyword_type types[] = {
	{"required", SCHEMA_OBJECT, false, schema_compiler_names, check_required},
	{"minProperties", SCHEMA_OBJECT, false, schema_compiler_count, check_min_properties},
	{"maxProperties", SCHEMA_OBJECT, false, schema_compiler_count, check_max_properties},
	{"propertyNames", SCHEMA_OBJECT, false, schema_compiler_one, check_names},
	{"properties", SCHEMA_OBJECT, false, compile_properties, check_properties},
	{"patternProperties", SCHEMA_OBJECT, false, compile_patterns, check_patterns},
	{"additionalProperties", SCHEMA_OBJECT, false, compile_additional, check_additional},
	{"dependentRequired", SCHEMA_OBJECT, false, compile_dependent_required, check_dependents},
	{"dependentSchemas", SCHEMA_OBJECT, true, schema_compiler_map, check_dependents},
	{"dependencies", SCHEMA_OBJECT, true, compile_dependencies, check_dependents}, /* of earlier drafts */
};

const struct schema_vocabulary schema_objects_vocabulary = {types, sizeof types / sizeof *types};
