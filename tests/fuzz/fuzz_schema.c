/*
 * Fuzzes schemas and values together: the input is a schema, a newline and a value, both JSON (without a
 * newline of their own), or one JSON text that is both.  Whatever they are, all verdicts agree, violations
 * point into the value, and defaults are filled in once and for all.
 */
#include "common/cleanup.h"
#include "common/json/json.h"
#include "common/json/pointer.h"
#include "common/schema/schema.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct schema_options options = {.assert_formats = true, .max_steps = 300000};

/* Each mistake is a line: a pointer or nothing, ": " and something. */
static void
check_mistakes(const struct text *mistakes)
{
	size_t lines = 0;

	assert(mistakes->len > 0 && mistakes->data[mistakes->len - 1] == '\n');
	for (const char *line = mistakes->data; *line; line = strchr(line, '\n') + 1) {
		const char *colon = strstr(line, ": ");
		assert(colon && colon < strchr(line, '\n') - 2);
		assert(*line == ':' || *line == '/');
		lines++;
	}
	assert(lines <= 20);
	assert(text_is_utf8(mistakes->data, mistakes->len));
}

static const char *
member(struct json_object *error, const char *name)
{
	const char *string = json_object_get_string(json_find(error, name, NULL));

	assert(string);
	return string;
}

/* Whether there is something at pointer, be it null, which json_pointer_get() does not tell from nothing. */
static bool
leads_somewhere(const char *pointer, struct json_object *value)
{
	if (*pointer == '\0')
		return true;
	if (json_object_is_type(value, json_type_array)) {
		char *end;
		size_t index = strtoul(pointer + 1, &end, 10);
		return index < json_object_array_length(value) &&
		       leads_somewhere(end, json_object_array_get_idx(value, index));
	}
	if (!json_object_is_type(value, json_type_object))
		return false;
	json_object_object_foreach(value, name, member_value)
	{
		CLEANUP(text_fini) struct text step = {0};
		json_pointer_add(&step, name);
		if (strncmp(pointer, step.data, step.len) == 0 &&
			(pointer[step.len] == '\0' || pointer[step.len] == '/'))
			return leads_somewhere(pointer + step.len, member_value);
	}
	return false;
}

static void
check_error(struct json_object *error, struct json_object *instance)
{
	const char *pointer = member(error, "pointer");

	assert(json_object_object_length(error) == 3);
	assert(*member(error, "keyword") && *member(error, "message"));
	assert(strlen(pointer) <= SCHEMA_POINTER_MAX_BYTES);
	assert(leads_somewhere(pointer, instance));
}

static void
check_verdict(const struct schema *schema, struct json_object *instance)
{
	CLEANUP(cleanup_json) struct json_object *errors = NULL;
	int rc = schema_validate(schema, instance, &errors);

	assert(rc == 0 || rc == -EINVAL);
	if (rc == 0) {
		assert(!errors);
		assert(schema_validate(schema, instance, NULL) == 0);
		return;
	}
	size_t count = json_object_array_length(errors);
	assert(count > 0 && count <= SCHEMA_VIOLATIONS_MAX);
	for (size_t i = 0; i < count; i++)
		check_error(json_object_array_get_idx(errors, i), instance);
	/* Asked quietly it may take fewer steps, and so may end with a verdict; but never with another
	 * one. */
	const char *last = member(json_object_array_get_idx(errors, count - 1), "keyword");
	assert(strcmp(last, "limit") == 0 || schema_validate(schema, instance, NULL) == -EINVAL);
}

static void
check_defaults(const struct schema *schema, struct json_object *instance)
{
	struct json_object *before = NULL;

	if (schema_fill_defaults(schema, instance) < 0 || !instance)
		return;
	assert(json_object_deep_copy(instance, &before, NULL) == 0);
	assert(schema_fill_defaults(schema, instance) == 0);
	assert(json_object_equal(before, instance));
	json_object_put(before);
	check_verdict(schema, instance);
}

static void
check(struct json_object *document, struct json_object *instance)
{
	CLEANUP(text_fini) struct text mistakes = {0};
	struct schema *schema = NULL;

	if (schema_compile(document, &options, &schema, &mistakes) < 0) {
		assert(!schema);
		check_mistakes(&mistakes);
		return;
	}
	assert(mistakes.len == 0);
	check_verdict(schema, instance);
	check_defaults(schema, instance);
	schema_free(schema);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(cleanup_json) struct json_object *document = NULL;
	CLEANUP(cleanup_json) struct json_object *instance = NULL;
	struct json_mistake mistake;

	if (size == 0)
		return 0;
	const char *text = (const char *)data, *newline = memchr(text, '\n', size);
	size_t first = newline ? (size_t)(newline - text) : size;
	const char *second = newline ? newline + 1 : text;
	if (json_parse(text, first, &document, &mistake) < 0)
		return 0;
	if (json_parse(second, newline ? size - first - 1 : size, &instance, &mistake) < 0)
		return 0;
	check(document, instance);
	return 0;
}
