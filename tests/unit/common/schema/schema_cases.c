/* What tests of schemas share: see schema_cases.h. */
#include "tests/unit/common/schema/schema_cases.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct json_object *
cases_parse(const char *text)
{
	struct json_object *value = NULL;
	struct json_mistake mistake;

	if (json_parse(text, strlen(text), &value, &mistake) < 0)
		fail_msg("%s: column %zu: %s", text, mistake.column, mistake.reason);
	return value;
}

struct schema *
cases_compile_with(const char *text, const struct schema_options *options)
{
	CLEANUP(cleanup_json) struct json_object *document = cases_parse(text);
	CLEANUP(text_fini) struct text mistake = {0};
	struct schema *schema = NULL;

	if (schema_compile(document, options, &schema, &mistake) < 0)
		fail_msg("%s: %s", text, mistake.data);
	assert_null(mistake.data);
	return schema;
}

struct schema *
cases_compile(const char *text)
{
	static const struct schema_options plain;

	return cases_compile_with(text, &plain);
}

void
cases_assert_json(struct json_object *value, const char *expected)
{
	CLEANUP(cleanup_json) struct json_object *wanted = cases_parse(expected);

	if (!json_object_equal(value, wanted))
		fail_msg("got    %s\nwanted %s",
			json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN),
			json_object_to_json_string_ext(wanted, JSON_C_TO_STRING_PLAIN));
}

char *
cases_validate(const struct schema *schema, struct json_object *instance)
{
	struct json_object *errors = NULL;
	int rc = schema_validate(schema, instance, &errors);

	assert_int_equal(schema_validate(schema, instance, NULL), rc);
	if (rc == 0) {
		assert_null(errors);
		return xstrdup("valid");
	}
	assert_int_equal(rc, -EINVAL);
	assert_true(json_object_array_length(errors) > 0);
	char *text = xstrdup(json_object_to_json_string_ext(
		errors, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(errors);
	return text;
}

void
cases_assert_only_violation(
	const struct schema *schema, const char *instance_text, const char *keyword, const char *message)
{
	CLEANUP(cleanup_json) struct json_object *instance = cases_parse(instance_text);
	CLEANUP(cleanup_json) struct json_object *errors = NULL;

	assert_int_equal(schema_validate(schema, instance, &errors), -EINVAL);
	assert_int_equal(json_object_array_length(errors), 1);
	struct json_object *error = json_object_array_get_idx(errors, 0);
	assert_string_equal(json_object_get_string(json_find(error, "keyword", NULL)), keyword);
	assert_string_equal(json_object_get_string(json_find(error, "message", NULL)), message);
}

char *
cases_repeat(const char *before, const char *what, size_t count, const char *after)
{
	struct text text = {0};

	text_add_string(&text, before);
	for (size_t i = 0; i < count; i++)
		text_add_string(&text, what);
	text_add_string(&text, after);
	return text_take(&text);
}
