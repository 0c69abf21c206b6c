/* A validation under way. */
#include "common/schema/engine/run.h"

#include "common/cleanup.h"
#include "common/json/json.h"
#include "common/json/pointer.h"

#include <stdlib.h>
#include <string.h>

/* Words of the schema may be long: a message is cut here. */
#define MESSAGE_MAX_BYTES 400

/* Adds the way to spot; false where the pointer has become too long, and then it ends at the last one that
 * fits. */
static bool
add_pointer(struct text *pointer, const struct schema_spot *spot)
{
	if (!spot->outer)
		return true;
	if (!add_pointer(pointer, spot->outer))
		return false;
	size_t fits = pointer->len;
	if (!spot->name)
		text_addf(pointer, "/%zu", spot->index);
	else if (strnlen(spot->name, SCHEMA_POINTER_MAX_BYTES) < SCHEMA_POINTER_MAX_BYTES)
		json_pointer_add(pointer, spot->name);
	else
		return false;
	if (pointer->len <= SCHEMA_POINTER_MAX_BYTES)
		return true;
	pointer->len = fits;
	pointer->data[fits] = '\0';
	return false;
}

static void
add_string(struct json_object *error, const char *name, const char *string)
{
	struct json_object *value = json_object_new_string(string);

	if (!value || json_object_object_add(error, name, value) < 0)
		abort();
}

static void
add_error(struct schema_run *run, const struct schema_spot *spot, const char *keyword, const char *message)
{
	CLEANUP(text_fini) struct text pointer = {0};

	run->failed = true;
	if (!run->errors) {
		run->stopped = true;
		return;
	}
	text_add(&pointer, "", 0);
	if (spot)
		add_pointer(&pointer, spot);
	struct json_object *error = json_object_new_object();
	if (!error)
		abort();
	add_string(error, "pointer", pointer.data);
	add_string(error, "keyword", keyword);
	add_string(error, "message", message);
	if (json_object_array_add(run->errors, error) < 0)
		abort();
	run->stopped |= json_object_array_length(run->errors) >= SCHEMA_VIOLATIONS_MAX;
}

/* Cuts text to MESSAGE_MAX_BYTES, between characters. */
static void
cut(struct text *text)
{
	size_t len = MESSAGE_MAX_BYTES;

	if (text->len <= len)
		return;
	while (len > 0 && ((unsigned char)text->data[len] & 0xc0) == 0x80)
		len--;
	text->len = len;
	text_add_string(text, "...");
}

bool
schema_run_violate(const struct schema_frame *frame, const char *keyword, const char *format, ...)
{
	CLEANUP(text_fini) struct text message = {0};
	va_list args;

	if (frame->run->stopped)
		return false;
	if (frame->run->quiet > 0)
		return false;
	if (frame->spot->is_name)
		text_add_string(&message, "the name of the member ");
	va_start(args, format);
	text_addv(&message, format, args);
	va_end(args);
	cut(&message);
	add_error(frame->run, frame->spot, keyword, message.data);
	return false;
}

bool
schema_run_violate_count(const struct schema_frame *frame, const char *keyword, const char *least_or_most,
	uint64_t count, const char *noun)
{
	return schema_run_violate(frame, keyword, "must have at %s %ju %s%s", least_or_most, (uintmax_t)count,
		noun, count == 1 ? "" : "s");
}

/* Ends the run with a violation that no keyword knows. */
static void
give_up(struct schema_run *run, const char *message)
{
	if (!run->stopped)
		add_error(run, NULL, "limit", message);
	run->stopped = true;
}

bool
schema_run_spend(struct schema_run *run, uint64_t steps)
{
	if (run->stopped)
		return false;
	if (steps > run->steps_left) {
		run->steps_left = 0;
		give_up(run, "too large to be validated");
		return false;
	}
	run->steps_left -= steps;
	return true;
}

/* The limit of one match.  It grows with the text, so that a plain pattern can run over a text of any length. */
static uint64_t
match_steps(const struct schema_run *run, size_t len)
{
	uint64_t steps = SCHEMA_MATCH_STEPS + len / 2;

	return steps < run->steps_left ? steps : run->steps_left;
}

bool
schema_run_matches(
	const struct schema_frame *frame, const struct schema_regex *regex, const char *data, size_t len)
{
	struct schema_run *run = frame->run;
	uint64_t max_steps = match_steps(run, len), steps;

	if (run->stopped)
		return false;
	enum schema_match match = schema_regex_match(regex, &run->matcher, data, len, max_steps, &steps);
	if (match != SCHEMA_MATCH_TOO_COMPLEX)
		return schema_run_spend(run, steps) && match == SCHEMA_MATCH_YES;
	/* Where it was the budget of the whole that ended the match, the whole is what is too large. */
	if (max_steps == run->steps_left)
		return schema_run_spend(run, steps + 1);
	add_error(run, frame->spot, frame->keyword->type->name, "is too complex for the pattern");
	return schema_run_spend(run, steps) && false;
}

static bool
check_keywords(struct schema_frame *frame)
{
	const struct schema_node *node = frame->node;
	unsigned kind = schema_kind(frame->spot->value);
	bool good = true;

	for (size_t i = 0; i < node->keyword_count; i++) {
		const struct schema_keyword *keyword = &node->keywords[i];
		if (!keyword->type->check || !(keyword->type->kinds & kind))
			continue;
		if (!schema_run_spend(frame->run, 2))
			return false;
		frame->keyword = keyword;
		good &= keyword->type->check(frame, keyword);
		if (!good && frame->run->quiet > 0)
			return false;
	}
	return good;
}

static size_t
count_parts(struct json_object *value)
{
	switch (schema_kind(value)) {
	case SCHEMA_OBJECT:
		return (size_t)json_object_object_length(value);
	case SCHEMA_ARRAY:
		return json_object_array_length(value);
	default:
		return 0;
	}
}

/* A node that asks for marks sees its own only; those of the nodes around it get them once it has accepted
 * the value. */
static bool
check_with_marks(struct schema_frame *frame)
{
	CLEANUP(schema_marks_fini) struct schema_marks own;
	struct schema_marks *outer = frame->marks;
	size_t count = count_parts(frame->spot->value);

	schema_marks_init(&own, count);
	frame->marks = &own;
	bool good = schema_run_spend(frame->run, count / 64) && check_keywords(frame);
	frame->marks = outer;
	if (good)
		schema_marks_merge(outer, &own);
	return good;
}

bool
schema_run_apply(struct schema_run *run, const struct schema_frame *outer, const struct schema_node *node,
	const struct schema_spot *spot, struct schema_marks *marks)
{
	struct schema_frame frame = {.run = run,
		.outer = outer,
		.node = node,
		.spot = spot,
		.marks = marks,
		.depth = outer ? outer->depth + 1 : 0};

	if (!schema_run_spend(run, 2))
		return false;
	if (node->verdict == SCHEMA_IS_TRUE)
		return true;
	if (node->verdict == SCHEMA_IS_FALSE)
		return schema_run_violate(
			&frame, outer ? outer->keyword->type->name : "false", "is not allowed");
	if (frame.depth >= SCHEMA_DEPTH_MAX) {
		give_up(run, "nested too deeply for its schema");
		return false;
	}
	return node->has_unevaluated ? check_with_marks(&frame) : check_keywords(&frame);
}

bool
schema_run_apply_here(const struct schema_frame *frame, const struct schema_node *node)
{
	return schema_run_apply(frame->run, frame, node, frame->spot, frame->marks);
}

bool
schema_run_apply_member(const struct schema_frame *frame, const struct schema_node *node, const char *name,
	struct json_object *value)
{
	struct schema_spot spot = {.outer = frame->spot, .name = name, .value = value};

	return schema_run_apply(frame->run, frame, node, &spot, NULL);
}

bool
schema_run_apply_item(const struct schema_frame *frame, const struct schema_node *node, size_t index)
{
	struct schema_spot spot = {.outer = frame->spot,
		.index = index,
		.value = json_object_array_get_idx(frame->spot->value, index)};

	return schema_run_apply(frame->run, frame, node, &spot, NULL);
}

bool
schema_run_try_here(const struct schema_frame *frame, const struct schema_node *node)
{
	CLEANUP(schema_marks_fini) struct schema_marks own;
	struct schema_run *run = frame->run;

	schema_marks_init(&own, frame->marks ? frame->marks->count : 0);
	run->quiet++;
	bool good = schema_run_spend(run, own.count / 64) &&
		    schema_run_apply(run, frame, node, frame->spot, frame->marks ? &own : NULL);
	run->quiet--;
	if (good)
		schema_marks_merge(frame->marks, &own);
	return good;
}

bool
schema_run_try_item(const struct schema_frame *frame, const struct schema_node *node, size_t index)
{
	frame->run->quiet++;
	bool good = schema_run_apply_item(frame, node, index);
	frame->run->quiet--;
	return good;
}
