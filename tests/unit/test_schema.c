/* The schema as a whole: mistakes, violations, defaults, limits.  What keywords accept is the business of
 * schema_suite. */
#include "common/cleanup.h"
#include "common/json.h"
#include "common/schema.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* As small as the stacks of the pool's threads; the thread sanitizer keeps more than half a megabyte there
 * itself. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__ 1
#endif
#endif
#ifdef __SANITIZE_THREAD__
#define STACK_BYTES (1536 * 1024)
#else
#define STACK_BYTES (512 * 1024)
#endif

static const struct schema_options plain;

static struct json_object *
parse(const char *text)
{
	struct json_object *value = NULL;
	struct json_mistake mistake;

	if (json_parse(text, strlen(text), &value, &mistake) < 0)
		fail_msg("%s: column %zu: %s", text, mistake.column, mistake.reason);
	return value;
}

static struct schema *
compile_with(const char *text, const struct schema_options *options)
{
	CLEANUP(cleanup_json) struct json_object *document = parse(text);
	CLEANUP(text_fini) struct text mistake = {0};
	struct schema *schema = NULL;

	if (schema_compile(document, options, &schema, &mistake) < 0)
		fail_msg("%s: %s", text, mistake.data);
	assert_null(mistake.data);
	return schema;
}

static struct schema *
compile(const char *text)
{
	return compile_with(text, &plain);
}

static void
assert_json(struct json_object *value, const char *expected)
{
	CLEANUP(cleanup_json) struct json_object *wanted = parse(expected);

	if (!json_object_equal(value, wanted))
		fail_msg("got    %s\nwanted %s",
			json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN),
			json_object_to_json_string_ext(wanted, JSON_C_TO_STRING_PLAIN));
}

/* The violations of the instance, as JSON; "valid" if there are none.  The caller's. */
static char *
validate(const struct schema *schema, struct json_object *instance)
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

/* One violation of the instance: its keyword and message are those given. */
static void
assert_only_violation(
	const struct schema *schema, const char *instance_text, const char *keyword, const char *message)
{
	CLEANUP(cleanup_json) struct json_object *instance = parse(instance_text);
	CLEANUP(cleanup_json) struct json_object *errors = NULL;

	assert_int_equal(schema_validate(schema, instance, &errors), -EINVAL);
	assert_int_equal(json_object_array_length(errors), 1);
	struct json_object *error = json_object_array_get_idx(errors, 0);
	assert_string_equal(json_object_get_string(json_find(error, "keyword", NULL)), keyword);
	assert_string_equal(json_object_get_string(json_find(error, "message", NULL)), message);
}

/* before count times what, after */
static char *
repeat(const char *before, const char *what, size_t count, const char *after)
{
	struct text text = {0};

	text_add_string(&text, before);
	for (size_t i = 0; i < count; i++)
		text_add_string(&text, what);
	text_add_string(&text, after);
	return text_take(&text);
}

static void
tells_mistakes(void **state)
{
	static const struct {
		const char *schema;
		const char *mistakes;
	} cases[] = {
		{"1", ": must be a schema, an object or a boolean\n"},
		{"null", ": must be a schema, an object or a boolean\n"},
		{"[true]", ": must be a schema, an object or a boolean\n"},
		{"{\"properties\":{\"a\":{\"type\":\"text\"}}}",
			"/properties/a/type: must be a type, or a list of different types: null, boolean, "
			"integer, number, "
			"string, array, object\n"},
		{"{\"type\":[]}", "/type: must be a type, or a list of different types: null, boolean, "
				  "integer, number, "
				  "string, array, object\n"},
		{"{\"type\":[\"null\",\"null\"]}", "/type: must be a type, or a list of different types: "
						   "null, boolean, integer, number, string, array, "
						   "object\n"},
		{"{\"properties\":[]}", "/properties: must be an object of schemas\n"},
		{"{\"properties\":{\"a/b~c\":7}}",
			"/properties/a~1b~0c: must be a schema, an object or a boolean\n"},
		{"{\"properties\":{\"a\\nb\":7}}",
			"/properties/a\\u000ab: must be a schema, an object or a boolean\n"},
		{"{\"minLength\":-1}", "/minLength: must be a whole number, 0 or more\n"},
		{"{\"minLength\":1.5}", "/minLength: must be a whole number, 0 or more\n"},
		{"{\"minLength\":\"1\"}", "/minLength: must be a whole number, 0 or more\n"},
		{"{\"minimum\":\"1\"}", "/minimum: must be a number\n"},
		{"{\"multipleOf\":0}", "/multipleOf: must be greater than 0\n"},
		{"{\"multipleOf\":-2}", "/multipleOf: must be greater than 0\n"},
		{"{\"multipleOf\":1.23456789012345678901}", "/multipleOf: has too many digits\n"},
		{"{\"required\":\"a\"}", "/required: must be a list of names, none of them twice\n"},
		{"{\"required\":[\"a\",1]}", "/required: must be a list of names, none of them twice\n"},
		{"{\"required\":[\"a\",\"b\",\"a\"]}",
			"/required: must be a list of names, none of them twice\n"},
		{"{\"dependentRequired\":{\"a\":{}}}",
			"/dependentRequired/a: must be a list of names, none of them twice\n"},
		{"{\"dependentRequired\":[]}", "/dependentRequired: must be an object\n"},
		{"{\"dependencies\":{\"a\":7}}",
			"/dependencies/a: must be a schema, an object or a boolean\n"},
		{"{\"allOf\":[]}", "/allOf: must be a list of schemas, not empty\n"},
		{"{\"anyOf\":{}}", "/anyOf: must be a list of schemas, not empty\n"},
		{"{\"oneOf\":[true,1]}", "/oneOf/1: must be a schema, an object or a boolean\n"},
		{"{\"items\":[true]}", "/items: must be a schema, an object or a boolean\n"},
		{"{\"uniqueItems\":1}", "/uniqueItems: must be true or false\n"},
		{"{\"enum\":1}", "/enum: must be a list\n"},
		{"{\"title\":1}", "/title: must be a string\n"},
		{"{\"examples\":{}}", "/examples: must be a list\n"},
		{"{\"$vocabulary\":{\"a\":1}}", "/$vocabulary: must be an object of booleans\n"},
		{"{\"pattern\":\"(a\"}", "/pattern: is no regular expression: missing closing parenthesis\n"},
		{"{\"patternProperties\":{\"\\\\A\":true}}",
			"/patternProperties/\\A: is no regular expression: \\A is no escape of ECMA-262\n"},
		{"{\"$schema\":\"http://json-schema.org/draft-07/schema#\"}",
			"/$schema: only https://json-schema.org/draft/2020-12/schema is understood\n"},
		{"{\"$schema\":1}", "/$schema: must be a string\n"},
		{"{\"$anchor\":1}", "/$anchor: must be a string\n"},
		{"{\"pattern\":1}", "/pattern: must be a string\n"},
		{"{\"format\":1}", "/format: must be a string\n"},
		{"{\"multipleOf\":\"1\"}", "/multipleOf: must be a number\n"},
		{"{\"patternProperties\":1}", "/patternProperties: must be an object of schemas\n"},
		{"{\"$id\":1}", "/$id: must be a string\n"},
		{"{\"$id\":\"a#b\"}", "/$id: must not have a fragment\n"},
		{"{\"$anchor\":\"1\"}", "/$anchor: is no name of an anchor\n"},
		{"{\"$anchor\":\"\"}", "/$anchor: is no name of an anchor\n"},
		{"{\"$dynamicAnchor\":\"a b\"}", "/$dynamicAnchor: is no name of an anchor\n"},
		{"{\"$ref\":1}", "/$ref: must be a string\n"},
		{"{\"$ref\":\"#/$defs/a\"}", "/$ref: there is no schema at #/$defs/a\n"},
		{"{\"$ref\":\"#/minimum/0\",\"minimum\":1}", "/$ref: there is no schema at #/minimum/0\n"},
		{"{\"$ref\":\"#/minimum\",\"minimum\":1}", "/$ref: there is no schema at #/minimum\n"},
		{"{\"$ref\":\"#/allOf/01\",\"allOf\":[true,true]}",
			"/$ref: there is no schema at #/allOf/01\n"},
		{"{\"$ref\":\"#/allOf/2\",\"allOf\":[true,true]}",
			"/$ref: there is no schema at #/allOf/2\n"},
		{"{\"$ref\":\"#a\"}", "/$ref: there is no schema at #a\n"},
		{"{\"$dynamicRef\":\"#a\"}", "/$dynamicRef: there is no schema at #a\n"},
		{"{\"$ref\":\"#/%zz\"}", "/$ref: is no URI reference\n"},
		{"{\"$ref\":\"b.json\",\"$id\":\"http://h/a.json\"}",
			"/$ref: no remote references: http://h/b.json is not in the document\n"},
		{"{\"$ref\":\"https://json-schema.org/draft/2020-12/schema\"}",
			"/$ref: no remote references: https://json-schema.org/draft/2020-12/schema is not in "
			"the document\n"},
		{"{\"$defs\":{\"a\":{\"$id\":\"x\"},\"b\":{\"$id\":\"x\"}}}",
			"/$defs/b/$id: is the $id of another schema\n"},
		{"{\"$defs\":{\"a\":{\"$anchor\":\"x\"},\"b\":{\"$dynamicAnchor\":\"x\"}}}",
			"/$defs/b/$dynamicAnchor: is the anchor of another schema\n"},
		{"{\"$ref\":\"#\"}", ": refers to itself without coming to a part of the value\n"},
		{"{\"$defs\":{\"a\":{\"anyOf\":[true,{\"$ref\":\"#/$defs/b\"}]},\"b\":{\"not\":{\"$ref\":\"#/"
		 "$defs/a\"}}}}",
			"/$defs/a: refers to itself without coming to a part of the value\n"},
		{"{\"if\":true,\"then\":{\"dependentSchemas\":{\"a\":{\"$ref\":\"#\"}}}}",
			": refers to itself without coming to a part of the value\n"},
		{"{\"properties\":{\"a\":{\"default\":{},\"$ref\":\"#\"}}}",
			": its defaults fill each other in without end\n"},
		{"{\"type\":1,\"minimum\":\"\",\"$ref\":\"#/x\"}",
			"/type: must be a type, or a list of different types: null, boolean, integer, "
			"number, string, array, "
			"object\n/minimum: must be a number\n/$ref: there is no schema at #/x\n"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CLEANUP(cleanup_json) struct json_object *document = parse(cases[i].schema);
		CLEANUP(text_fini) struct text mistakes = {0};
		struct schema *schema = NULL;
		assert_int_equal(schema_compile(document, &plain, &schema, &mistakes), -EINVAL);
		assert_null(schema);
		assert_string_equal(mistakes.data, cases[i].mistakes);
	}
}

static void
tells_at_most_twenty_mistakes(void **state)
{
	CLEANUP_FREE char *text = repeat("{\"allOf\":[1", ",1", 99, "]}");
	CLEANUP(cleanup_json) struct json_object *document = parse(text);
	CLEANUP(text_fini) struct text mistakes = {0};
	struct schema *schema = NULL;
	size_t lines = 0;

	assert_int_equal(schema_compile(document, &plain, &schema, &mistakes), -EINVAL);
	for (const char *at = mistakes.data; (at = strchr(at, '\n')); at++)
		lines++;
	assert_int_equal(lines, 20);
}

/* As deep as a text can be, and one deeper, which only a program can build. */
static void
refuses_a_document_that_is_too_deep(void **state)
{
	struct json_object *document = json_object_new_object();
	CLEANUP(text_fini) struct text mistakes = {0};
	struct schema *schema = NULL;

	for (int i = 1; i < JSON_DEPTH_MAX; i++) {
		struct json_object *outer = json_object_new_object();
		json_object_object_add(outer, "not", document);
		document = outer;
	}
	assert_int_equal(schema_compile(document, &plain, &schema, &mistakes), 0);
	schema_free(schema);
	struct json_object *outer = json_object_new_object();
	json_object_object_add(outer, "not", document);
	schema = NULL;
	assert_int_equal(schema_compile(outer, &plain, &schema, &mistakes), -EINVAL);
	assert_string_equal(mistakes.data, ": nested too deeply\n");
	struct json_object *list = json_object_new_array();
	json_object_array_add(list, outer);
	text_clear(&mistakes);
	assert_int_equal(schema_compile(list, &plain, &schema, &mistakes), -EINVAL);
	assert_string_equal(mistakes.data, ": nested too deeply\n");
	json_object_put(list);
}

static void
refuses_chains_that_are_too_long(void **state)
{
	static const struct {
		unsigned links;
		bool good;
	} cases[] = {{SCHEMA_CHAIN_MAX, true}, {SCHEMA_CHAIN_MAX + 1, false}, {SCHEMA_CHAIN_MAX * 20, false}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (int backwards = 0; backwards < 2; backwards++) {
			CLEANUP(text_fini) struct text text = {0};
			CLEANUP(text_fini) struct text mistakes = {0};
			struct schema *schema = NULL;
			text_add_string(&text, "{\"$defs\":{");
			for (unsigned j = 1; j < cases[i].links; j++) {
				unsigned name = backwards ? cases[i].links - j : j;
				text_addf(&text, "\"%u\":{\"$ref\":\"#/$defs/%u\"},", name, name + 1);
			}
			text_addf(&text, "\"%u\":{}}}", cases[i].links);
			CLEANUP(cleanup_json) struct json_object *document = parse(text.data);
			int rc = schema_compile(document, &plain, &schema, &mistakes);
			assert_int_equal(rc, cases[i].good ? 0 : -EINVAL);
			if (rc < 0)
				assert_non_null(
					strstr(mistakes.data, "too many schemas, one within the other"));
			schema_free(schema);
		}
}

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
		struct schema *schema = compile(cases[i].schema);
		CLEANUP(cleanup_json) struct json_object *instance = parse(cases[i].instance);
		CLEANUP_FREE char *errors = validate(schema, instance);
		assert_string_equal(errors, cases[i].errors);
		schema_free(schema);
	}
}

/* Nothing of the value, however long it is, comes back; and a pointer that is too long ends earlier. */
static void
keeps_errors_short(void **state)
{
	struct schema *schema = compile(
		"{\"additionalProperties\":{\"items\":{\"properties\":{\"a\":{\"type\":\"null\"}}}}}");
	CLEANUP_FREE char *fits =
		repeat("{\"", "n", SCHEMA_POINTER_MAX_BYTES - 5, "\":[{\"a\":\"secret\"}]}");
	CLEANUP_FREE char *cut = repeat("{\"", "n", SCHEMA_POINTER_MAX_BYTES - 4, "\":[{\"a\":\"secret\"}]}");
	CLEANUP_FREE char *huge = repeat("{\"", "~", 1000000, "\":[{\"a\":\"secret\"}]}");
	const struct {
		const char *instance;
		size_t len;
	} cases[] = {{fits, SCHEMA_POINTER_MAX_BYTES}, {cut, SCHEMA_POINTER_MAX_BYTES - 1}, {huge, 0}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CLEANUP(cleanup_json) struct json_object *instance = parse(cases[i].instance);
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
	CLEANUP_FREE char *text = repeat("{\"required\":[\"", "\xc3\xa4", 5000, "\"]}");
	struct schema *schema = compile(text);
	CLEANUP(cleanup_json) struct json_object *instance = parse("{}");
	CLEANUP_FREE char *errors = validate(schema, instance);

	assert_true(strlen(errors) < 600);
	assert_true(text_is_utf8(errors, strlen(errors)));
	schema_free(schema);
}

static void
names_a_few_of_many_values(void **state)
{
	CLEANUP_FREE char *long_value = repeat("{\"const\":\"x", "\xc3\xa4", 5000, "\"}");
	CLEANUP_FREE char *many_values = repeat("{\"enum\":[1", ",\"value\"", 1000, "]}");
	const char *const schemas[] = {long_value, many_values};
	CLEANUP(cleanup_json) struct json_object *instance = parse("{}");

	for (size_t i = 0; i < 2; i++) {
		struct schema *schema = compile(schemas[i]);
		CLEANUP_FREE char *errors = validate(schema, instance);
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
		compile("{\"anyOf\":[{\"contains\":{\"const\":1}},{\"contains\":{\"const\":2}}],"
			"\"unevaluatedItems\":{\"const\":3}}");
	struct schema *members = compile(
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
	CLEANUP_FREE char *item_errors = validate(items, array);
	CLEANUP_FREE char *member_errors = validate(members, object);
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
	CLEANUP_FREE char *text = repeat("[1", ",1", 999, "]");
	CLEANUP(cleanup_json) struct json_object *instance = parse(text);
	CLEANUP(cleanup_json) struct json_object *errors = NULL;
	struct schema *schema = compile("{\"items\":{\"type\":\"string\"}}");

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
		struct schema *schema = compile(cases[i].schema);
		CLEANUP(cleanup_json) struct json_object *instance = parse(cases[i].instance);
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
		compile("{\"prefixItems\":[{\"multipleOf\":0.1},{\"const\":0.3},{\"minLength\":3,"
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
	struct schema *schema = compile("{\"uniqueItems\":true}");
	CLEANUP(cleanup_json) struct json_object *instance = json_object_new_array();

	for (int i = 0; i < 20000; i++) {
		char text[64];
		snprintf(text, sizeof text, i % 2 ? "[%d.0,{\"a\":null,\"b\":%d}]" : "\"%d\"", i, i);
		json_object_array_add(instance, parse(text));
	}
	assert_int_equal(schema_validate(schema, instance, NULL), 0);
	json_object_array_add(instance, parse("[17,{\"b\":17.0,\"a\":null}]"));
	CLEANUP_FREE char *errors = validate(schema, instance);
	assert_non_null(strstr(errors, "those at 17 and 20000 are"));
	schema_free(schema);
}

static void
fills_in_defaults(void **state)
{
	static const struct {
		const char *schema;
		const char *instance;
		const char *filled;
	} cases[] = {
		{"{\"properties\":{\"a\":{\"default\":1},\"b\":{}}}", "{}", "{\"a\":1}"},
		{"{\"properties\":{\"a\":{\"default\":1}}}", "{\"a\":2}", "{\"a\":2}"},
		{"{\"properties\":{\"a\":{\"default\":1}}}", "{\"a\":null}", "{\"a\":null}"},
		{"{\"properties\":{\"a\":{\"default\":null}}}", "{}", "{\"a\":null}"},
		{"{\"properties\":{\"a\":{\"default\":1}}}", "[]", "[]"},
		{"{\"properties\":{\"a\":{\"default\":1}}}", "null", "null"},
		{"{\"default\":1}", "null", "null"},
		{"{\"properties\":{\"a\":{\"default\":[1.10,18446744073709551616]}}}", "{}",
			"{\"a\":[1.10,18446744073709551616]}"},
		/* at every depth */
		{"{\"properties\":{\"a\":{\"properties\":{\"b\":{\"default\":1}}}}}", "{}", "{}"},
		{"{\"properties\":{\"a\":{\"properties\":{\"b\":{\"default\":1}}}}}", "{\"a\":{}}",
			"{\"a\":{\"b\":1}}"},
		{"{\"properties\":{\"a\":{\"default\":{},\"properties\":{\"b\":{\"default\":1}}}}}", "{}",
			"{\"a\":{\"b\":1}}"},
		{"{\"items\":{\"properties\":{\"a\":{\"default\":1}}}}", "[{},3,{\"a\":2}]",
			"[{\"a\":1},3,{\"a\":2}]"},
		{"{\"prefixItems\":[{\"properties\":{\"a\":{\"default\":1}}}],\"items\":{\"properties\":{"
		 "\"b\":{\"default\":2}}}}",
			"[{},{}]", "[{\"a\":1},{\"b\":2}]"},
		/* through $ref and allOf */
		{"{\"$ref\":\"#/$defs/x\",\"$defs\":{\"x\":{\"properties\":{\"a\":{\"$ref\":\"#/$defs/"
		 "y\"}}},\"y\":{"
		 "\"default\":3}}}",
			"{}", "{\"a\":3}"},
		{"{\"allOf\":[{\"properties\":{\"a\":{\"default\":1}}},{\"properties\":{\"b\":{\"default\":2}"
		 "}}]}",
			"{}", "{\"a\":1,\"b\":2}"},
		{"{\"properties\":{\"n\":{\"$ref\":\"#\"},\"v\":{\"default\":0}}}", "{\"n\":{\"n\":{}}}",
			"{\"n\":{\"n\":{\"v\":0},\"v\":0},\"v\":0}"},
		/* the nearest wins */
		{"{\"properties\":{\"a\":{\"default\":1}},\"allOf\":[{\"properties\":{\"a\":{\"default\":2}}}"
		 "]}",
			"{}", "{\"a\":1}"},
		{"{\"properties\":{\"a\":{\"default\":1,\"allOf\":[{\"default\":2}]}}}", "{}", "{\"a\":1}"},
		{"{\"allOf\":[{\"allOf\":[{\"properties\":{\"a\":{\"default\":1}}}]},{\"properties\":{\"a\":{"
		 "\"default\":2}}}]}",
			"{}", "{\"a\":2}"},
		{"{\"allOf\":[{\"$ref\":\"#/$defs/x\"},{\"$ref\":\"#/$defs/"
		 "x\"}],\"$defs\":{\"x\":{\"properties\":{\"a\":{"
		 "\"default\":1}}}}}",
			"{}", "{\"a\":1}"},
		/* those that contradict each other do not count, and hide others behind them; equal ones
		 * do */
		{"{\"allOf\":[{\"properties\":{\"a\":{\"default\":1}}},{\"properties\":{\"a\":{\"default\":2}"
		 "}},"
		 "{\"allOf\":[{\"properties\":{\"a\":{\"default\":3}}}]}]}",
			"{}", "{}"},
		{"{\"properties\":{\"a\":{\"allOf\":[{\"default\":1},{\"default\":2}]}}}", "{}", "{}"},
		{"{\"allOf\":[{\"properties\":{\"a\":{\"default\":[1]}}},{\"properties\":{\"a\":{\"default\":"
		 "[1]}}}]}",
			"{}", "{\"a\":[1]}"},
		{"{\"allOf\":[{\"properties\":{\"a\":{\"properties\":{\"b\":{\"default\":1}}}}},{"
		 "\"properties\":{\"a\":{"
		 "\"properties\":{\"b\":{\"default\":2},\"c\":{\"default\":3}}}}}]}",
			"{\"a\":{}}", "{\"a\":{\"c\":3}}"},
		/* not through anything else */
		{"{\"anyOf\":[{\"properties\":{\"a\":{\"default\":1}}}]}", "{}", "{}"},
		{"{\"oneOf\":[{\"properties\":{\"a\":{\"default\":1}}}]}", "{}", "{}"},
		{"{\"if\":{\"properties\":{\"a\":{\"default\":1}}},\"then\":{\"properties\":{\"b\":{"
		 "\"default\":1}}}}",
			"{}", "{}"},
		{"{\"additionalProperties\":{\"properties\":{\"a\":{\"default\":1}}}}", "{\"x\":{}}",
			"{\"x\":{}}"},
		{"{\"dependentSchemas\":{\"x\":{\"properties\":{\"a\":{\"default\":1}}}}}", "{\"x\":1}",
			"{\"x\":1}"},
		{"true", "{}", "{}"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct schema *schema = compile(cases[i].schema);
		CLEANUP(cleanup_json) struct json_object *instance = parse(cases[i].instance);
		assert_int_equal(schema_fill_defaults(schema, instance), 0);
		assert_json(instance, cases[i].filled);
		schema_free(schema);
	}
}

static void
refuses_to_fill_in_too_much(void **state)
{
	struct schema *schema = compile("{\"items\":{\"properties\":{\"a\":{\"default\":[1,2,3]}}}}");
	CLEANUP_FREE char *many = repeat("[{}", ",{}", SCHEMA_FILLED_MAX / 4, "]");
	CLEANUP(cleanup_json) struct json_object *instance = parse(many);

	assert_int_equal(schema_fill_defaults(schema, instance), -E2BIG);
	json_object_array_del_idx(instance, 0, 1);
	for (size_t i = 0; i < json_object_array_length(instance); i++)
		json_object_object_del(json_object_array_get_idx(instance, i), "a");
	assert_int_equal(schema_fill_defaults(schema, instance), 0);
	schema_free(schema);
}

static void
refuses_to_fill_in_too_deeply(void **state)
{
	struct schema *schema = compile("{\"properties\":{\"a\":{\"$ref\":\"#\"},\"d\":{\"default\":[[]]}}}");

	for (int depth = JSON_DEPTH_MAX - 3; depth < JSON_DEPTH_MAX; depth++) {
		CLEANUP_FREE char *before = repeat("", "{\"d\":1,\"a\":", (size_t)depth - 1, "{}");
		CLEANUP_FREE char *text = repeat(before, "}", (size_t)depth - 1, "");
		CLEANUP(cleanup_json) struct json_object *instance = parse(text);
		assert_int_equal(
			schema_fill_defaults(schema, instance), depth + 2 <= JSON_DEPTH_MAX ? 0 : -E2BIG);
	}
	schema_free(schema);
}

/* Patterns and texts that would take PCRE2 from seconds to for ever. */
static void
bounds_patterns(void **state)
{
	CLEANUP_FREE char *as = repeat("\"", "a", 200000, "\"");
	static const char *const schemas[] = {"{\"pattern\":\"a*[bc]\"}", "{\"pattern\":\"(a*)*[bc]\"}",
		"{\"not\":{\"pattern\":\"(a|aa)+[bc]\"}}", "{\"anyOf\":[true,{\"pattern\":\"(a|aa)+[bc]\"}]}",
		"{\"if\":{\"pattern\":\"(.*)(.*)(.*)[bc]\"}}"};

	for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) {
		struct schema *schema = compile(schemas[i]);
		CLEANUP(cleanup_json) struct json_object *instance = parse(as);
		CLEANUP_FREE char *errors = validate(schema, instance);
		bool is_asked = i != 3; /* the alternative before it was accepted */
		if (is_asked !=
			(strstr(errors,
				 "{\"pointer\":\"\",\"keyword\":\"pattern\",\"message\":\"is too complex "
				 "for the pattern\"}") != NULL))
			fail_msg("%s: %s", schemas[i], errors);
		schema_free(schema);
	}
}

static void
bounds_patterns_of_names(void **state)
{
	CLEANUP_FREE char *text = repeat("{\"", "a", 200000, "\":1}");
	struct schema *schema =
		compile("{\"patternProperties\":{\"a*[bc]\":true},\"propertyNames\":{\"pattern\":\"^a+$\"}}");

	assert_only_violation(schema, text, "patternProperties", "is too complex for the pattern");
	schema_free(schema);
}

/* A plain pattern is no trouble for a text of any length. */
static void
matches_long_texts(void **state)
{
	CLEANUP_FREE char *text = repeat("\"", "aB3+", 4000000, "==\"");
	CLEANUP(cleanup_json) struct json_object *instance = parse(text);
	struct schema *schema = compile("{\"pattern\":\"^[A-Za-z0-9+/]*={0,2}$\"}");

	assert_int_equal(schema_validate(schema, instance, NULL), 0);
	schema_free(schema);
}

static void
bounds_the_whole(void **state)
{
	static const struct schema_options few = {.max_steps = 1000};
	struct schema *schema = compile_with("{\"items\":{\"type\":\"integer\"}}", &few);
	CLEANUP_FREE char *some = repeat("[1", ",1", 50, "]");
	CLEANUP_FREE char *many = repeat("[1", ",1", 1000, "]");
	CLEANUP(cleanup_json) struct json_object *instance = parse(some);

	assert_int_equal(schema_validate(schema, instance, NULL), 0);
	assert_only_violation(schema, many, "limit", "too large to be validated");
	schema_free(schema);
	/* within a match, and where giving up looks like an answer */
	schema = compile_with("{\"pattern\":\"a*[bc]\"}", &few);
	CLEANUP_FREE char *text = repeat("\"", "a", 1000, "\"");
	assert_only_violation(schema, text, "limit", "too large to be validated");
	schema_free(schema);
	schema = compile_with("{\"not\":{\"items\":{\"type\":\"integer\"}}}", &few);
	assert_only_violation(schema, many, "limit", "too large to be validated");
	schema_free(schema);
	schema = compile_with("{\"uniqueItems\":true}", &few);
	assert_only_violation(schema, many, "limit", "too large to be validated");
	CLEANUP_FREE char *name = repeat("[{\"", "n", 100000, "\":1},{\"b\":2}]");
	assert_only_violation(schema, name, "limit", "too large to be validated");
	schema_free(schema);
	schema = compile_with("{\"contains\":{\"const\":2},\"minContains\":0,\"maxContains\":5}", &few);
	assert_only_violation(schema, many, "limit", "too large to be validated");
	schema_free(schema);
}

/* Each level asks twice: 2^60 questions, were there no end to it. */
static void
bounds_what_grows_exponentially(void **state)
{
	struct schema *schema =
		compile("{\"anyOf\":[{\"items\":{\"$ref\":\"#\"},\"minItems\":1},{\"items\":{\"$ref\":"
			"\"#\"},\"maxItems\":5,\"minItems\":1}]}");
	CLEANUP_FREE char *before = repeat("", "[", 60, "");
	CLEANUP_FREE char *text = repeat(before, "]", 60, "");

	assert_only_violation(schema, text, "limit", "too large to be validated");
	schema_free(schema);
}

static void *
validate_dynamic_loop(void *arg)
{
	struct schema *schema =
		compile("{\"$dynamicAnchor\":\"x\",\"anyOf\":[{\"$dynamicRef\":\"#x\"},{\"$dynamicRef\":"
			"\"#x\"}],\"unevaluatedItems\":true}");

	assert_only_violation(schema, "[]", "limit", "nested too deeply for its schema");
	schema_free(schema);
	return NULL;
}

/* A loop through $dynamicRef shows only when it is run; it must end before the stack of a small thread
 * does. */
static void
bounds_dynamic_loops_in_a_small_stack(void **state)
{
	pthread_attr_t attr;
	pthread_t thread;

	assert_int_equal(pthread_attr_init(&attr), 0);
	assert_int_equal(pthread_attr_setstacksize(&attr, STACK_BYTES), 0);
	assert_int_equal(pthread_create(&thread, &attr, validate_dynamic_loop, NULL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	pthread_attr_destroy(&attr);
}

static void
follows_references_of_all_kinds(void **state)
{
	struct schema *schema = compile("{\"$id\":\"http://h/root\",\"$ref\":\"#/x-own/deep/"
					"0\",\"x-own\":{\"deep\":[{\"$ref\":\"other#name\"}]},"
					"\"definitions\":{\"o\":{\"$id\":\"other\",\"$defs\":{\"n\":{\"$"
					"anchor\":\"name\",\"$ref\":\"#/$defs/"
					"a~1b%25\"},\"a/b%\":{\"$ref\":\"/root#/$defs/"
					"last\"}}}},\"$defs\":{\"last\":{\"type\":\"null\"}}}");

	assert_only_violation(schema, "1", "type", "must be null");
	schema_free(schema);
}

static void
asserts_formats_only_if_asked(void **state)
{
	static const struct schema_options asserting = {.assert_formats = true};
	static const char text[] = "{\"format\":\"date\"}";
	CLEANUP(cleanup_json) struct json_object *instance = parse("\"yesterday\"");
	struct schema *schema = compile(text);

	assert_int_equal(schema_validate(schema, instance, NULL), 0);
	schema_free(schema);
	schema = compile_with(text, &asserting);
	assert_only_violation(schema, "\"yesterday\"", "format", "must be a date (RFC 3339)");
	schema_free(schema);
	schema = compile_with("{\"format\":\"no-such-format\"}", &asserting);
	assert_int_equal(schema_validate(schema, instance, NULL), 0);
	schema_free(schema);
}

static void
keeps_a_copy_of_the_document(void **state)
{
	struct json_object *document = parse("{\"properties\":{\"a\":{\"default\":{\"b\":[1]}}}}");
	struct json_object *first = parse("{}"), *second = parse("{}");
	CLEANUP(text_fini) struct text mistake = {0};
	struct schema *schema = NULL;

	assert_int_equal(schema_compile(document, &plain, &schema, &mistake), 0);
	json_object_put(document);
	assert_int_equal(schema_fill_defaults(schema, first), 0);
	json_object_array_add(json_find(first, "a", "b", NULL), parse("2"));
	assert_int_equal(schema_fill_defaults(schema, second), 0);
	schema_free(schema);
	assert_json(first, "{\"a\":{\"b\":[1,2]}}");
	assert_json(second, "{\"a\":{\"b\":[1]}}");
	json_object_put(first);
	json_object_put(second);
}

static void *
use_schema(void *arg)
{
	static const char *const instances[] = {"{\"n\":1,\"s\":\"abc\",\"l\":[1,2,3]}",
		"{\"n\":1.5,\"s\":\"b\"}", "{}", "{\"l\":[1,1.0,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}",
		"{\"sub\":{\"sub\":{\"s\":\"b\"}}}"};

	for (int i = 0; i < 200; i++) {
		struct json_object *instance = parse(instances[i % 5]), *errors = NULL;
		assert_int_equal(schema_fill_defaults(arg, instance), 0);
		assert_json(json_find(instance, "d", "x", NULL), "[1.5,\"y\"]");
		assert_int_equal(
			schema_validate(arg, instance, &errors), i % 5 == 0 || i % 5 == 2 ? 0 : -EINVAL);
		json_object_put(errors);
		json_object_put(instance);
	}
	return NULL;
}

static void
serves_many_threads(void **state)
{
	struct schema *schema = compile("{\"$dynamicAnchor\":\"t\",\"properties\":{\"n\":{\"type\":"
					"\"integer\",\"multipleOf\":0.5,\"enum\":[1,2,{\"a\":"
					"1.0}]},\"s\":{\"pattern\":\"^(a|ab)*c$\"},\"l\":{\"uniqueItems\":"
					"true,\"contains\":{\"const\":1}},"
					"\"d\":{\"default\":{\"x\":[1.5,\"y\"]}},\"sub\":{\"$dynamicRef\":\"#"
					"t\"}},\"unevaluatedProperties\":false}");
	pthread_t threads[4];

	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, use_schema, schema), 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
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
		cmocka_unit_test(tells_mistakes),
		cmocka_unit_test(tells_at_most_twenty_mistakes),
		cmocka_unit_test(refuses_a_document_that_is_too_deep),
		cmocka_unit_test(refuses_chains_that_are_too_long),
		cmocka_unit_test(tells_violations),
		cmocka_unit_test(keeps_errors_short),
		cmocka_unit_test(cuts_long_words_of_the_schema),
		cmocka_unit_test(names_a_few_of_many_values),
		cmocka_unit_test(remembers_what_was_evaluated_of_many),
		cmocka_unit_test(ends_with_the_hundredth_violation),
		cmocka_unit_test(compares_numbers_without_loss),
		cmocka_unit_test(judges_values_that_were_never_text),
		cmocka_unit_test(finds_equal_items_in_a_long_array),
		cmocka_unit_test(fills_in_defaults),
		cmocka_unit_test(refuses_to_fill_in_too_much),
		cmocka_unit_test(refuses_to_fill_in_too_deeply),
		cmocka_unit_test(bounds_patterns),
		cmocka_unit_test(bounds_patterns_of_names),
		cmocka_unit_test(matches_long_texts),
		cmocka_unit_test(bounds_the_whole),
		cmocka_unit_test(bounds_what_grows_exponentially),
		cmocka_unit_test(bounds_dynamic_loops_in_a_small_stack),
		cmocka_unit_test(follows_references_of_all_kinds),
		cmocka_unit_test(asserts_formats_only_if_asked),
		cmocka_unit_test(keeps_a_copy_of_the_document),
		cmocka_unit_test(serves_many_threads),
		cmocka_unit_test(frees_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
