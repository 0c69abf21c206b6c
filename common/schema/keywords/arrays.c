/* The keywords on arrays (Core, 10.3.1; Validation, 6.4), unevaluatedItems excepted.  See schema_node.h. */
#include "common/schema/engine/compiler.h"
#include "common/schema/engine/run.h"
#include "common/schema/keywords/equal.h"
#include "common/schema/keywords/keywords.h"

static size_t
count_items(const struct schema_frame *frame)
{
	return json_object_array_length(frame->spot->value);
}

static bool
check_prefix_items(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	bool good = true;

	for (size_t i = 0; i < keyword->part_count && i < count_items(frame); i++) {
		good &= schema_run_apply_item(frame, keyword->parts[i].node, i);
		schema_marks_set(frame->marks, i);
	}
	return good;
}

static bool
compile_items(struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword)
{
	keyword->siblings[0] = schema_node_find(node, "prefixItems");
	return schema_compiler_one(compiler, node, keyword);
}

/* All items behind those of prefixItems. */
static bool
check_items(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	size_t first = keyword->siblings[0] ? keyword->siblings[0]->part_count : 0;
	bool good = true;

	for (size_t i = first; i < count_items(frame) && !frame->run->stopped; i++) {
		good &= schema_run_apply_item(frame, keyword->parts[0].node, i);
		if (!good && frame->run->quiet > 0)
			return false;
	}
	schema_marks_set_all(frame->marks);
	return good;
}

static bool
compile_contains(struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword)
{
	keyword->siblings[0] = schema_node_find(node, "minContains");
	keyword->siblings[1] = schema_node_find(node, "maxContains");
	return schema_compiler_one(compiler, node, keyword);
}

static bool
check_contains(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	const struct schema_keyword *least = keyword->siblings[0], *most = keyword->siblings[1];
	uint64_t min = least ? least->limit : 1, max = most ? most->limit : UINT64_MAX, count = 0;
	bool all = frame->marks || max < UINT64_MAX;

	for (size_t i = 0; i < count_items(frame) && !frame->run->stopped && (all || count < min); i++)
		if (schema_run_try_item(frame, keyword->parts[0].node, i)) {
			schema_marks_set(frame->marks, i);
			count++;
		}
	if (frame->run->stopped)
		return false;
	if (count < min)
		return schema_run_violate_count(
			frame, least ? "minContains" : "contains", "least", min, "matching item");
	if (count > max)
		return schema_run_violate_count(frame, "maxContains", "most", max, "matching item");
	return true;
}

static bool
check_min_items(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	return count_items(frame) >= keyword->limit ||
	       schema_run_violate_count(frame, "minItems", "least", keyword->limit, "item");
}

static bool
check_max_items(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	return count_items(frame) <= keyword->limit ||
	       schema_run_violate_count(frame, "maxItems", "most", keyword->limit, "item");
}

static bool
check_unique_items(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	size_t first, second;

	if (!json_object_get_boolean(keyword->value))
		return true;
	if (!schema_equal_find(frame->run, frame->spot->value, &first, &second))
		return !frame->run->stopped;
	return schema_run_violate(frame, "uniqueItems",
		"must not have equal items, as those at %zu and %zu are", first, second);
}

static const struct schema_keyword_type types[] = {
	{"minContains", SCHEMA_ARRAY, false, schema_compiler_count, NULL},
	{"maxContains", SCHEMA_ARRAY, false, schema_compiler_count, NULL},
	{"minItems", SCHEMA_ARRAY, false, schema_compiler_count, check_min_items},
	{"maxItems", SCHEMA_ARRAY, false, schema_compiler_count, check_max_items},
	{"uniqueItems", SCHEMA_ARRAY, false, schema_compiler_flag, check_unique_items},
	{"prefixItems", SCHEMA_ARRAY, false, schema_compiler_list, check_prefix_items},
	{"items", SCHEMA_ARRAY, false, compile_items, check_items},
	{"contains", SCHEMA_ARRAY, false, compile_contains, check_contains},
};

const struct schema_vocabulary schema_arrays_vocabulary = {types, sizeof types / sizeof *types};
