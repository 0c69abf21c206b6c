/* The keywords that put schemas together (Core, 10.2), and the two that judge what is left over (11).  See
 * schema_node.h. */
#include "common/schema/engine/compiler.h"
#include "common/schema/engine/run.h"
#include "common/schema/keywords/keywords.h"

static bool
check_all_of(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	bool good = true;

	for (size_t i = 0; i < keyword->part_count && !frame->run->stopped; i++)
		good &= schema_run_apply_here(frame, keyword->parts[i].node);
	return good;
}

/* Whether the node's `type`, if it has one or refers to one, lets the kind of value through. */
static bool
may_be(const struct schema_node *node, unsigned kind)
{
	for (int i = 0; i < 4; i++) {
		const struct schema_keyword *type = schema_node_find(node, "type");
		const struct schema_keyword *ref = schema_node_find(node, "$ref");
		if (type)
			return type->limit & (kind == SCHEMA_NUMBER ? SCHEMA_NUMBER | SCHEMA_INTEGER : kind);
		if (!ref)
			break;
		node = ref->parts[0].node;
	}
	return node->verdict != SCHEMA_IS_FALSE;
}

/* None of the alternatives accepts the value.  Where the value's type leaves only one of them, tells what is
 * missing there. */
static void
explain(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	unsigned kind = schema_kind(frame->spot->value);
	const struct schema_node *only = NULL;

	if (frame->run->quiet > 0)
		return;
	/* Whichever was meant may have evaluated anything: no complaint about leftovers on top. */
	schema_marks_set_all(frame->marks);
	for (size_t i = 0; i < keyword->part_count; i++)
		if (may_be(keyword->parts[i].node, kind)) {
			if (only)
				return;
			only = keyword->parts[i].node;
		}
	if (only)
		schema_run_apply(frame->run, frame, only, frame->spot, NULL);
}

static bool
check_any_of(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	bool good = false;

	/* All of them are asked only if somebody wants to know what they evaluated. */
	for (size_t i = 0; i < keyword->part_count && (!good || frame->marks) && !frame->run->stopped; i++)
		good |= schema_run_try_here(frame, keyword->parts[i].node);
	if (good)
		return true;
	schema_run_violate(
		frame, "anyOf", "must be as one of the %zu alternatives describes", keyword->part_count);
	explain(frame, keyword);
	return false;
}

static bool
check_one_of(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	size_t count = 0, first = 0, second = 0;

	for (size_t i = 0; i < keyword->part_count && count < 2 && !frame->run->stopped; i++)
		if (schema_run_try_here(frame, keyword->parts[i].node)) {
			first = count == 0 ? i : first;
			second = i;
			count++;
		}
	if (count == 1)
		return true;
	if (count > 1)
		return schema_run_violate(frame, "oneOf",
			"must be as only one of the alternatives describes, not %zu and %zu", first, second);
	schema_run_violate(
		frame, "oneOf", "must be as one of the %zu alternatives describes", keyword->part_count);
	explain(frame, keyword);
	return false;
}

static bool
check_not(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	struct schema_run *run = frame->run;

	run->quiet++;
	bool accepted = schema_run_apply(run, frame, keyword->parts[0].node, frame->spot, NULL);
	run->quiet--;
	return !accepted || schema_run_violate(frame, "not", "must not be as \"not\" describes");
}

static bool
compile_if(struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword)
{
	keyword->siblings[0] = schema_node_find(node, "then");
	keyword->siblings[1] = schema_node_find(node, "else");
	return schema_compiler_one(compiler, node, keyword);
}

static bool
check_if(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	const struct schema_keyword *branch =
		keyword->siblings[schema_run_try_here(frame, keyword->parts[0].node) ? 0 : 1];

	if (!branch)
		return true;
	frame->keyword = branch;
	return schema_run_apply_here(frame, branch->parts[0].node);
}

static bool
check_unevaluated_items(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	bool good = true;

	for (size_t i = 0; i < frame->marks->count && schema_run_spend(frame->run, 1); i++)
		if (!schema_marks_has(frame->marks, i))
			good &= schema_run_apply_item(frame, keyword->parts[0].node, i);
	schema_marks_set_all(frame->marks);
	return good;
}

static bool
check_unevaluated_members(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	bool good = true;
	size_t at = 0;

	json_object_object_foreach(frame->spot->value, name, value)
	{
		if (!schema_marks_has(frame->marks, at++))
			good &= schema_run_apply_member(frame, keyword->parts[0].node, name, value);
		if (!schema_run_spend(frame->run, 1))
			return false;
	}
	schema_marks_set_all(frame->marks);
	return good;
}

static const struct schema_keyword_type types[] = {
	{"allOf", SCHEMA_ANY, true, schema_compiler_list, check_all_of},
	{"anyOf", SCHEMA_ANY, true, schema_compiler_list, check_any_of},
	{"oneOf", SCHEMA_ANY, true, schema_compiler_list, check_one_of},
	{"not", SCHEMA_ANY, true, schema_compiler_one, check_not},
	{"then", SCHEMA_ANY, true, schema_compiler_one, NULL},
	{"else", SCHEMA_ANY, true, schema_compiler_one, NULL},
	{"if", SCHEMA_ANY, true, compile_if, check_if},
};

const struct schema_vocabulary schema_logic_vocabulary = {types, sizeof types / sizeof *types};

static const struct schema_keyword_type rest_types[] = {
	{"unevaluatedItems", SCHEMA_ARRAY, false, schema_compiler_one, check_unevaluated_items},
	{"unevaluatedProperties", SCHEMA_OBJECT, false, schema_compiler_one, check_unevaluated_members},
};

const struct schema_vocabulary schema_rest_vocabulary = {rest_types, sizeof rest_types / sizeof *rest_types};
