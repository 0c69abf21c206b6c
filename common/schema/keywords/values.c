/* The keywords on any value, on numbers and on strings (Validation, 6.1 to 6.3 and 7).  See schema_node.h. */
#include "common/schema/engine/compiler.h"
#include "common/schema/engine/run.h"
#include "common/schema/keywords/equal.h"
#include "common/schema/keywords/format.h"
#include "common/schema/keywords/keywords.h"
#include "common/schema/regex/regex.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	uint64_t kinds;
	const char *noun;
} type_names[] = {
	{"null", SCHEMA_NULL, "null"},
	{"boolean", SCHEMA_BOOLEAN, "a boolean"},
	{"integer", SCHEMA_INTEGER, "an integer"},
	{"number", SCHEMA_NUMBER, "a number"},
	{"string", SCHEMA_STRING, "a string"},
	{"array", SCHEMA_ARRAY, "an array"},
	{"object", SCHEMA_OBJECT, "an object"},
};

#define TYPE_COUNT (sizeof type_names / sizeof *type_names)

/* Adds a type to the keyword's set; false if there is none of that name, or it is there already. */
static bool
add_type(struct schema_keyword *keyword, struct json_object *name)
{
	if (schema_kind(name) != SCHEMA_STRING)
		return false;
	for (size_t i = 0; i < TYPE_COUNT; i++)
		if (strcmp(type_names[i].name, json_object_get_string(name)) == 0) {
			bool is_new = !(keyword->limit & type_names[i].kinds);
			keyword->limit |= type_names[i].kinds;
			return is_new;
		}
	return false;
}

static char *
describe_types(uint64_t kinds)
{
	struct text text = {0};

	for (size_t i = 0; i < TYPE_COUNT; i++)
		if (kinds & type_names[i].kinds)
			text_addf(&text, "%s%s", text.len > 0 ? " or " : "", type_names[i].noun);
	return text_take(&text);
}

static bool
compile_type(struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword)
{
	bool good = true;

	if (schema_kind(keyword->value) == SCHEMA_ARRAY) {
		good = json_object_array_length(keyword->value) > 0;
		for (size_t i = 0; i < json_object_array_length(keyword->value); i++)
			good &= add_type(keyword, json_object_array_get_idx(keyword->value, i));
	} else {
		good = add_type(keyword, keyword->value);
	}
	if (!good)
		return schema_compiler_mistake(compiler,
			"must be a type, or a list of different types: null, boolean, "
			"integer, number, string, array, object");
	keyword->hint = describe_types(keyword->limit);
	return true;
}

static bool
check_type(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	unsigned kind = schema_kind(frame->spot->value);
	struct schema_number number;

	if (keyword->limit & kind)
		return true;
	if (kind == SCHEMA_NUMBER && keyword->limit & SCHEMA_INTEGER) {
		size_t read = schema_number_read(frame->spot->value, &number);
		if (schema_run_spend(frame->run, read / 8) && schema_number_is_integer(&number))
			return true;
	}
	return schema_run_violate(frame, "type", "must be %s", keyword->hint);
}

static bool
compile_enum(struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword)
{
	struct text hint = {0};

	if (!schema_compiler_values(compiler, node, keyword))
		return false;
	text_add(&hint, "", 0);
	for (size_t i = 0; i < json_object_array_length(keyword->value) && hint.len < 200; i++) {
		char *value = schema_compiler_hint(json_object_array_get_idx(keyword->value, i));
		text_addf(&hint, "%s%s", i > 0 ? ", " : "", value);
		free(value);
		if (hint.len >= 200 && i + 1 < json_object_array_length(keyword->value))
			text_add_string(&hint, ", ...");
	}
	keyword->hint = text_take(&hint);
	return true;
}

static bool
check_enum(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	for (size_t i = 0; i < json_object_array_length(keyword->value); i++)
		if (schema_equal(
			    frame->run, json_object_array_get_idx(keyword->value, i), frame->spot->value))
			return true;
	return schema_run_violate(frame, "enum", "must be one of %s", keyword->hint);
}

static bool
compile_const(struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword)
{
	keyword->hint = schema_compiler_hint(keyword->value);
	return true;
}

static bool
check_const(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	return schema_equal(frame->run, keyword->value, frame->spot->value) ||
	       schema_run_violate(frame, "const", "must be %s", keyword->hint);
}

/* How the frame's number compares with the keyword's. */
static int
compare(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	struct schema_number number;

	schema_run_spend(frame->run, schema_number_read(frame->spot->value, &number) / 8);
	return schema_number_compare(&number, &keyword->number);
}

static bool
check_minimum(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	return compare(frame, keyword) >= 0 ||
	       schema_run_violate(frame, "minimum", "must be at least %s", keyword->hint);
}

static bool
check_maximum(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	return compare(frame, keyword) <= 0 ||
	       schema_run_violate(frame, "maximum", "must be at most %s", keyword->hint);
}

static bool
check_exclusive_minimum(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	return compare(frame, keyword) > 0 ||
	       schema_run_violate(frame, "exclusiveMinimum", "must be greater than %s", keyword->hint);
}

static bool
check_exclusive_maximum(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	return compare(frame, keyword) < 0 ||
	       schema_run_violate(frame, "exclusiveMaximum", "must be less than %s", keyword->hint);
}

static bool
compile_multiple(struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword)
{
	if (!schema_compiler_number(compiler, node, keyword))
		return false;
	if (keyword->number.negative || keyword->number.count == 0)
		return schema_compiler_mistake(compiler, "must be greater than 0");
	return schema_number_significand(&keyword->number, &keyword->limit) == 0 ||
	       schema_compiler_mistake(compiler, "has too many digits");
}

static bool
check_multiple(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	struct schema_number number;
	size_t read = schema_number_read(frame->spot->value, &number);

	return (schema_run_spend(frame->run, 10 + read / 2) &&
		       schema_number_is_multiple(&number, keyword->limit, keyword->number.exponent)) ||
	       schema_run_violate(frame, "multipleOf", "must be a multiple of %s", keyword->hint);
}

/* The length in characters (RFC 8259, 8.2), of text that is UTF-8. */
static uint64_t
count_characters(struct schema_frame *frame)
{
	const char *data = json_object_get_string(frame->spot->value);
	size_t len = (size_t)json_object_get_string_len(frame->spot->value);
	uint64_t count = 0;

	schema_run_spend(frame->run, len / 16);
	for (size_t i = 0; i < len; i++)
		count += ((unsigned char)data[i] & 0xc0) != 0x80;
	return count;
}

static bool
check_min_length(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	return count_characters(frame) >= keyword->limit ||
	       schema_run_violate_count(frame, "minLength", "least", keyword->limit, "character");
}

static bool
check_max_length(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	return count_characters(frame) <= keyword->limit ||
	       schema_run_violate_count(frame, "maxLength", "most", keyword->limit, "character");
}

static bool
compile_pattern(struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword)
{
	if (!schema_compiler_string(compiler, node, keyword))
		return false;
	schema_compiler_make_parts(keyword, 1);
	keyword->parts[0].regex = schema_compiler_regex(compiler, json_object_get_string(keyword->value),
		(size_t)json_object_get_string_len(keyword->value));
	keyword->hint = schema_compiler_hint(keyword->value);
	return keyword->parts[0].regex;
}

static bool
check_pattern(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	return schema_run_matches(frame, keyword->parts[0].regex, json_object_get_string(frame->spot->value),
		       (size_t)json_object_get_string_len(frame->spot->value)) ||
	       schema_run_violate(frame, "pattern", "must match the pattern %s", keyword->hint);
}

static bool
compile_format(struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword)
{
	if (!schema_compiler_string(compiler, node, keyword))
		return false;
	if (compiler->schema->options.assert_formats)
		keyword->format = schema_format_find(json_object_get_string(keyword->value));
	return true;
}

static bool
check_format(struct schema_frame *frame, const struct schema_keyword *keyword)
{
	size_t len = (size_t)json_object_get_string_len(frame->spot->value);

	if (!keyword->format)
		return true;
	return (schema_run_spend(frame->run, keyword->format->steps + len * keyword->format->byte_steps) &&
		       keyword->format->is_valid(json_object_get_string(frame->spot->value), len)) ||
	       schema_run_violate(frame, "format", "must be %s", keyword->format->noun);
}

static const struct schema_keyword_type types[] = {
	{"type", SCHEMA_ANY, false, compile_type, check_type},
	{"enum", SCHEMA_ANY, false, compile_enum, check_enum},
	{"const", SCHEMA_ANY, false, compile_const, check_const},
	{"minimum", SCHEMA_NUMBER, false, schema_compiler_number, check_minimum},
	{"maximum", SCHEMA_NUMBER, false, schema_compiler_number, check_maximum},
	{"exclusiveMinimum", SCHEMA_NUMBER, false, schema_compiler_number, check_exclusive_minimum},
	{"exclusiveMaximum", SCHEMA_NUMBER, false, schema_compiler_number, check_exclusive_maximum},
	{"multipleOf", SCHEMA_NUMBER, false, compile_multiple, check_multiple},
	{"minLength", SCHEMA_STRING, false, schema_compiler_count, check_min_length},
	{"maxLength", SCHEMA_STRING, false, schema_compiler_count, check_max_length},
	{"pattern", SCHEMA_STRING, false, compile_pattern, check_pattern},
	{"format", SCHEMA_STRING, false, compile_format, check_format},
};

const struct schema_vocabulary schema_values_vocabulary = {types, sizeof types / sizeof *types};
