/* The schema as a whole: which violations it tells, and how.  What keywords accept is the business of
 * schema_suite. */
#include "tests/unit/common/schema/schema_cases.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
tells_violations(void **state)
{
	static const struct {
		const char *schema;
		const char *instance;
		const char *errors;
	} cases[] = {
		{"true", "1", "valid"},
		{"false", "1", "[{\"pointer\":\"\",\"keyword\":\"false\",\"message\":\"is not allowed\"}]"},
		{"{\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{\"minimum\":1}},\"required\":[\"c\"]}",
			"{\"a\":1,\"b\":0}",
			"[{\"pointer\":\"\",\"keyword\":\"required\",\"message\":\"must have the member "
			"\\\"c\\\"\"},"
			"{\"pointer\":\"/a\",\"keyword\":\"type\",\"message\":\"must be a string\"},"
			"{\"pointer\":\"/b\",\"keyword\":\"minimum\",\"message\":\"must be at least 1\"}]"},
		{"{\"additionalProperties\":false}", "{\"a/b\":{\"c\":1},\"~\":1}",
			"[{\"pointer\":\"/a~1b\",\"keyword\":\"additionalProperties\",\"message\":\"is not "
			"allowed\"},"
			"{\"pointer\":\"/~0\",\"keyword\":\"additionalProperties\",\"message\":\"is not "
			"allowed\"}]"},
		{"{\"items\":{\"properties\":{\"x\":{\"type\":[\"integer\",\"null\"]}}}}",
			"[{},{\"x\":1.5},{\"x\":1.0},{\"x\":null}]",
			"[{\"pointer\":\"/1/x\",\"keyword\":\"type\",\"message\":\"must be null or an "
			"integer\"}]"},
		{"{\"enum\":[1,\"a\",null]}", "2",
			"[{\"pointer\":\"\",\"keyword\":\"enum\",\"message\":\"must be one of 1, \\\"a\\\", "
			"null\"}]"},
		{"{\"enum\":[]}", "2",
			"[{\"pointer\":\"\",\"keyword\":\"enum\",\"message\":\"must be one of \"}]"},
		{"{\"const\":{\"a\":[1]}}", "2",
			"[{\"pointer\":\"\",\"keyword\":\"const\",\"message\":\"must be {\\\"a\\\":[1]}\"}]"},
		{"{\"pattern\":\"^[a-z]+$\",\"minLength\":2,\"maxLength\":0}", "\"\xc3\xa4\"",
			"[{\"pointer\":\"\",\"keyword\":\"minLength\",\"message\":\"must have at least 2 "
			"characters\"},"
			"{\"pointer\":\"\",\"keyword\":\"maxLength\",\"message\":\"must have at most 0 "
			"characters\"},"
			"{\"pointer\":\"\",\"keyword\":\"pattern\",\"message\":\"must match the pattern "
			"\\\"^[a-z]+$\\\"\"}]"},
		{"{\"multipleOf\":0.01,\"maximum\":1,\"exclusiveMaximum\":1.1,\"exclusiveMinimum\":7}",
			"1.123",
			"[{\"pointer\":\"\",\"keyword\":\"maximum\",\"message\":\"must be at most 1\"},"
			"{\"pointer\":\"\",\"keyword\":\"exclusiveMinimum\",\"message\":\"must be greater "
			"than 7\"},"
			"{\"pointer\":\"\",\"keyword\":\"exclusiveMaximum\",\"message\":\"must be less than "
			"1.1\"},"
			"{\"pointer\":\"\",\"keyword\":\"multipleOf\",\"message\":\"must be a multiple of "
			"0.01\"}]"},
		{"{\"minItems\":2,\"maxItems\":0,\"contains\":{\"const\":5}}", "[1]",
			"[{\"pointer\":\"\",\"keyword\":\"minItems\",\"message\":\"must have at least 2 "
			"items\"},"
			"{\"pointer\":\"\",\"keyword\":\"maxItems\",\"message\":\"must have at most 0 "
			"items\"},"
			"{\"pointer\":\"\",\"keyword\":\"contains\",\"message\":\"must have at least 1 "
			"matching item\"}]"},
		{"{\"contains\":{\"const\":5},\"minContains\":2}", "[5,1]",
			"[{\"pointer\":\"\",\"keyword\":\"minContains\",\"message\":\"must have at least 2 "
			"matching items\"}]"},
		{"{\"contains\":{\"const\":5},\"maxContains\":1}", "[5,1,5.0]",
			"[{\"pointer\":\"\",\"keyword\":\"maxContains\",\"message\":\"must have at most 1 "
			"matching item\"}]"},
		{"{\"uniqueItems\":true}", "[1,{\"a\":1,\"b\":2},{\"b\":2,\"a\":1.0}]",
			"[{\"pointer\":\"\",\"keyword\":\"uniqueItems\",\"message\":\"must not have equal "
			"items, as those at "
			"1 and 2 are\"}]"},
		{"{\"propertyNames\":{\"maxLength\":2}}", "{\"ab\":1,\"abc\":1}",
			"[{\"pointer\":\"/abc\",\"keyword\":\"maxLength\",\"message\":\"the name of the "
			"member must have at "
			"most 2 characters\"}]"},
		{"{\"minProperties\":3,\"maxProperties\":1}", "{\"a\":1,\"b\":1}",
			"[{\"pointer\":\"\",\"keyword\":\"minProperties\",\"message\":\"must have at least 3 "
			"members\"},"
			"{\"pointer\":\"\",\"keyword\":\"maxProperties\",\"message\":\"must have at most 1 "
			"member\"}]"},
		{"{\"dependentRequired\":{\"a\":[\"b\",\"c\"]},\"dependencies\":{\"a\":[\"d\"],\"c\":false}}",
			"{\"a\":1,\"c\":1}",
			"[{\"pointer\":\"\",\"keyword\":\"dependentRequired\",\"message\":\"must have the "
			"member \\\"b\\\", "
			"since it has \\\"a\\\"\"},"
			"{\"pointer\":\"\",\"keyword\":\"dependencies\",\"message\":\"must have the member "
			"\\\"d\\\", since "
			"it has \\\"a\\\"\"},"
			"{\"pointer\":\"\",\"keyword\":\"dependencies\",\"message\":\"is not allowed\"}]"},
		{"{\"not\":{\"type\":\"null\"}}", "null",
			"[{\"pointer\":\"\",\"keyword\":\"not\",\"message\":\"must not be as \\\"not\\\" "
			"describes\"}]"},
		{"{\"if\":{\"type\":\"integer\"},\"then\":{\"minimum\":1},\"else\":false}", "0",
			"[{\"pointer\":\"\",\"keyword\":\"minimum\",\"message\":\"must be at least 1\"}]"},
		{"{\"if\":{\"type\":\"integer\"},\"then\":{\"minimum\":1},\"else\":false}", "\"\"",
			"[{\"pointer\":\"\",\"keyword\":\"else\",\"message\":\"is not allowed\"}]"},
		{"{\"oneOf\":[{\"minimum\":1},{\"minimum\":0},{\"minimum\":2}]}", "1",
			"[{\"pointer\":\"\",\"keyword\":\"oneOf\",\"message\":\"must be as only one of the "
			"alternatives "
			"describes, not 0 and 1\"}]"},
		{"{\"anyOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}", "{}",
			"[{\"pointer\":\"\",\"keyword\":\"anyOf\",\"message\":\"must be as one of the 2 "
			"alternatives "
			"describes\"}]"},
		/* only one of them can be meant */
		{"{\"oneOf\":[{\"type\":\"null\"},{\"$ref\":\"#/$defs/"
		 "a\"}],\"$defs\":{\"a\":{\"type\":[\"object\"],"
		 "\"properties\":{\"x\":{\"type\":\"string\"}}}}}",
			"{\"x\":1}",
			"[{\"pointer\":\"\",\"keyword\":\"oneOf\",\"message\":\"must be as one of the 2 "
			"alternatives "
			"describes\"},"
			"{\"pointer\":\"/x\",\"keyword\":\"type\",\"message\":\"must be a string\"}]"},
		/* what a failed alternative may have evaluated is no leftover; what nobody knows is */
		{"{\"anyOf\":[{\"properties\":{\"a\":{\"type\":\"string\"}}}],\"unevaluatedProperties\":"
		 "false}",
			"{\"a\":1,\"b\":1}",
			"[{\"pointer\":\"\",\"keyword\":\"anyOf\",\"message\":\"must be as one of the 1 "
			"alternatives "
			"describes\"},"
			"{\"pointer\":\"/a\",\"keyword\":\"type\",\"message\":\"must be a string\"}]"},
		{"{\"allOf\":[{\"properties\":{\"a\":{\"type\":\"string\"}}}],\"unevaluatedProperties\":"
		 "false}",
			"{\"a\":1,\"b\":1}",
			"[{\"pointer\":\"/a\",\"keyword\":\"type\",\"message\":\"must be a string\"},"
			"{\"pointer\":\"/b\",\"keyword\":\"unevaluatedProperties\",\"message\":\"is not "
			"allowed\"}]"},
		{"{\"prefixItems\":[true],\"unevaluatedItems\":false}", "[1,2]",
			"[{\"pointer\":\"/1\",\"keyword\":\"unevaluatedItems\",\"message\":\"is not "
			"allowed\"}]"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct schema *schema = cases_compile(cases[i].schema);
		CLEANUP(cleanup_json) struct json_object *instance = cases_parse(cases[i].instance);
		CLEANUP_FREE char *errors = cases_validate(schema, instance);
		assert_string_equal(errors, cases[i].errors);
		schema_free(schema);
	}
}

/* Nothing of the value, however long it is, comes back; and a pointer that is too long ends earlier. */
static void
keeps_errors_short(void **state)
{
	struct schema *schema = cases_compile(
		"{\"additionalProperties\":{\"items\":{\"properties\":{\"a\":{\"type\":\"null\"}}}}}");
	CLEANUP_FREE char *fits =
		cases_repeat("{\"", "n", SCHEMA_POINTER_MAX_BYTES - 5, "\":[{\"a\":\"secret\"}]}");
	CLEANUP_FREE char *cut =
		cases_repeat("{\"", "n", SCHEMA_POINTER_MAX_BYTES - 4, "\":[{\"a\":\"secret\"}]}");
	CLEANUP_FREE char *huge = cases_repeat("{\"", "~", 1000000, "\":[{\"a\":\"secret\"}]}");
	const struct {
		const char *instance;
		size_t len;
	} cases[] = {{fits, SCHEMA_POINTER_MAX_BYTES}, {cut, SCHEMA_POINTER_MAX_BYTES - 1}, {huge, 0}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CLEANUP(cleanup_json) struct json_object *instance = cases_parse(cases[i].instance);
		CLEANUP(cleanup_json) struct json_object *errors = NULL;
		assert_int_equal(schema_validate(schema, instance, &errors), -EINVAL);
		struct json_object *error = json_object_array_get_idx(errors, 0);
		assert_int_equal(json_object_get_string_len(json_find(error, "pointer", NULL)), cases[i].len);
		assert_null(strstr(json_object_to_json_string(errors), "secret"));
	}
	schema_free(schema);
}

static void
cuts_long_words_of_the_schema(void **state)
{
	CLEANUP_FREE char *text = cases_repeat("{\"required\":[\"", "\xc3\xa4", 5000, "\"]}");
	struct schema *schema = cases_compile(text);
	CLEANUP(cleanup_json) struct json_object *instance = cases_parse("{}");
	CLEANUP_FREE char *errors = cases_validate(schema, instance);

	assert_true(strlen(errors) < 600);
	assert_true(text_is_utf8(errors, strlen(errors)));
	schema_free(schema);
}

static void
names_a_few_of_many_values(void **state)
{
	CLEANUP_FREE char *long_value = cases_repeat("{\"const\":\"x", "\xc3\xa4", 5000, "\"}");
	CLEANUP_FREE char *many_values = cases_repeat("{\"enum\":[1", ",\"value\"", 1000, "]}");
	const char *const schemas[] = {long_value, many_values};
	CLEANUP(cleanup_json) struct json_object *instance = cases_parse("{}");

	for (size_t i = 0; i < 2; i++) {
		struct schema *schema = cases_compile(schemas[i]);
		CLEANUP_FREE char *errors = cases_validate(schema, instance);
		assert_non_null(strstr(errors, "..."));
		assert_true(strlen(errors) < 600);
		assert_true(text_is_utf8(errors, strlen(errors)));
		schema_free(schema);
	}
}

/* More items and members than a word has bits. */
static void
remembers_what_was_evaluated_of_many(void **state)
{
	struct schema *items =
		cases_compile("{\"anyOf\":[{\"contains\":{\"const\":1}},{\"contains\":{\"const\":2}}],"
			      "\"unevaluatedItems\":{\"const\":3}}");
	struct schema *members = cases_compile(
		"{\"patternProperties\":{\"^[0-9]+$\":true},\"allOf\":[{\"properties\":{\"a\":true}}],"
		"\"unevaluatedProperties\":false}");
	CLEANUP(cleanup_json) struct json_object *array = json_object_new_array();
	CLEANUP(cleanup_json) struct json_object *object = json_object_new_object();

	for (int i = 0; i < 200; i++) {
		char name[16];
		snprintf(name, sizeof name, "%d", i);
		json_object_array_add(array, json_object_new_int(i % 3 + 1));
		json_object_object_add(object, name, NULL);
	}
	json_object_object_add(object, "a", NULL);
	assert_int_equal(schema_validate(items, array, NULL), 0);
	assert_int_equal(schema_validate(members, object, NULL), 0);
	json_object_array_add(array, json_object_new_int(4));
	json_object_object_add(object, "b", NULL);
	CLEANUP_FREE char *item_errors = cases_validate(items, array);
	CLEANUP_FREE char *member_errors = cases_validate(members, object);
	assert_string_equal(
		item_errors, "[{\"pointer\":\"/200\",\"keyword\":\"const\",\"message\":\"must be 3\"}]");
	assert_string_equal(member_errors,
		"[{\"pointer\":\"/b\",\"keyword\":\"unevaluatedProperties\",\"message\":\"is "
		"not allowed\"}]");
	schema_free(items);
	schema_free(members);
}

static void
ends_with_the_hundredth_violation(void **state)
{
	CLEANUP_FREE char *text = cases_repeat("[1", ",1", 999, "]");
	CLEANUP(cleanup_json) struct json_object *instance = cases_parse(text);
	CLEANUP(cleanup_json) struct json_object *errors = NULL;
	struct schema *schema = cases_compile("{\"items\":{\"type\":\"string\"}}");

	assert_int_equal(schema_validate(schema, instance, &errors), -EINVAL);
	assert_int_equal(json_object_array_length(errors), SCHEMA_VIOLATIONS_MAX);
	schema_free(schema);
}

static void
compares_numbers_without_loss(void **state)
{
	static const struct {
		const char *schema;
		const char *instance;
		bool valid;
	} cases[] = {
		{"{\"const\":9007199254740993}", "9007199254740992.0", false},
		{"{\"const\":9007199254740993}", "9007199254740993.0", true},
		{"{\"const\":18446744073709551615}", "18446744073709551615", true},
		{"{\"const\":18446744073709551615}", "-1", false},
		{"{\"const\":18446744073709551616}", "18446744073709551617", false},
		{"{\"const\":1e2}", "100", true},
		{"{\"const\":0}", "-0.0", true},
		{"{\"const\":0.1}", "0.1000000000000000055511151231257827", false},
		{"{\"maximum\":9223372036854775807}", "9223372036854775808", false},
		{"{\"maximum\":9223372036854775807}", "9223372036854775807.0", true},
		{"{\"maximum\":9223372036854775807}", "9223372036854775807.1", false},
		{"{\"minimum\":-9223372036854775808}", "-9223372036854775809", false},
		{"{\"maximum\":1e308}", "1e309", false},
		{"{\"minimum\":1e-400}", "0", false},
		{"{\"minimum\":1e-400}", "1e-399", true},
		{"{\"type\":\"integer\"}", "1e400", true},
		{"{\"type\":\"integer\"}", "10.50e1", true},
		{"{\"type\":\"integer\"}", "10.51e1", false},
		{"{\"type\":\"integer\"}", "123456789012345678901234567890", true},
		{"{\"type\":\"integer\"}", "123456789012345678901234567890.5", false},
		{"{\"multipleOf\":0.01}", "4.35", true},
		{"{\"multipleOf\":0.01}", "1e300", true},
		{"{\"multipleOf\":3}", "111111111111111111111111111111111111111111111111111111111111", true},
		{"{\"multipleOf\":3}", "111111111111111111111111111111111111111111111111111111111112", false},
		{"{\"multipleOf\":7}", "1e999999999999999999999", false},
		{"{\"enum\":[1.5,2]}", "2.000", true},
		{"{\"uniqueItems\":true}", "[1,1.0]", false},
		{"{\"maxLength\":2.0}", "\"ab\"", true},
		{"{\"maxItems\":1e30}", "[1]", true},
		{"{\"minItems\":1e30}", "[1]", false},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct schema *schema = cases_compile(cases[i].schema);
		CLEANUP(cleanup_json) struct json_object *instance = cases_parse(cases[i].instance);
		if (schema_validate(schema, instance, NULL) != (cases[i].valid ? 0 : -EINVAL))
			fail_msg("%s: %s", cases[i].schema, cases[i].instance);
		schema_free(schema);
	}
}

/* Values that a program built have no text, and strings may have a NUL. */
static void
judges_values_that_were_never_text(void **state)
{
	struct schema *schema =
		cases_compile("{\"prefixItems\":[{\"multipleOf\":0.1},{\"const\":0.3},{\"minLength\":3,"
			      "\"pattern\":\"^a\\\\u0000b$\"},{\"maximum\":1e308}]}");
	CLEANUP(cleanup_json) struct json_object *instance = json_object_new_array();

	json_object_array_add(instance, json_object_new_double(4.7));
	json_object_array_add(instance, json_object_new_double(0.3));
	json_object_array_add(instance, json_object_new_string_len("a\0b", 3));
	json_object_array_add(instance, json_object_new_double(1e300));
	assert_int_equal(schema_validate(schema, instance, NULL), 0);
	json_object_array_put_idx(instance, 3, json_object_new_double((double)INFINITY));
	assert_int_equal(schema_validate(schema, instance, NULL), -EINVAL);
	schema_free(schema);
}

static void
finds_equal_items_in_a_long_array(void **state)
{
	struct schema *schema = cases_compile("{\"uniqueItems\":true}");
	CLEANUP(cleanup_json) struct json_object *instance = json_object_new_array();

	for (int i = 0; i < 20000; i++) {
		char text[64];
		snprintf(text, sizeof text, i % 2 ? "[%d.0,{\"a\":null,\"b\":%d}]" : "\"%d\"", i, i);
		json_object_array_add(instance, cases_parse(text));
	}
	assert_int_equal(schema_validate(schema, instance, NULL), 0);
	json_object_array_add(instance, cases_parse("[17,{\"b\":17.0,\"a\":null}]"));
	CLEANUP_FREE char *errors = cases_validate(schema, instance);
	assert_non_null(strstr(errors, "those at 17 and 20000 are"));
	schema_free(schema);
}

static void
asserts_formats_only_if_asked(void **state)
{
	static const struct schema_options asserting = {.assert_formats = true};
	static const char text[] = "{\"format\":\"date\"}";
	CLEANUP(cleanup_json) struct json_object *instance = cases_parse("\"yesterday\"");
	struct schema *schema = cases_compile(text);

	assert_int_equal(schema_validate(schema, instance, NULL), 0);
	schema_free(schema);
	schema = cases_compile_with(text, &asserting);
	cases_assert_only_violation(schema, "\"yesterday\"", "format", "must be a date (RFC 3339)");
	schema_free(schema);
	schema = cases_compile_with("{\"format\":\"no-such-format\"}", &asserting);
	assert_int_equal(schema_validate(schema, instance, NULL), 0);
	schema_free(schema);
}

static void
frees_nothing(void **state)
{
	schema_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_violations),
		cmocka_unit_test(keeps_errors_short),
		cmocka_unit_test(cuts_long_words_of_the_schema),
		cmocka_unit_test(names_a_few_of_many_values),
		cmocka_unit_test(remembers_what_was_evaluated_of_many),
		cmocka_unit_test(ends_with_the_hundredth_violation),
		cmocka_unit_test(compares_numbers_without_loss),
		cmocka_unit_test(judges_values_that_were_never_text),
		cmocka_unit_test(finds_equal_items_in_a_long_array),
		cmocka_unit_test(asserts_formats_only_if_asked),
		cmocka_unit_test(frees_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
