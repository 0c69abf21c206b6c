/* Compiling schemas: mistakes and limits of the document, references. */
#include "tests/unit/common/schema/schema_cases.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct schema_options plain;

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
		CLEANUP(cleanup_json) struct json_object *document = cases_parse(cases[i].schema);
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
	CLEANUP_FREE char *text = cases_repeat("{\"allOf\":[1", ",1", 99, "]}");
	CLEANUP(cleanup_json) struct json_object *document = cases_parse(text);
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
			CLEANUP(cleanup_json) struct json_object *document = cases_parse(text.data);
			int rc = schema_compile(document, &plain, &schema, &mistakes);
			assert_int_equal(rc, cases[i].good ? 0 : -EINVAL);
			if (rc < 0)
				assert_non_null(
					strstr(mistakes.data, "too many schemas, one within the other"));
			schema_free(schema);
		}
}

static void
follows_references_of_all_kinds(void **state)
{
	struct schema *schema =
		cases_compile("{\"$id\":\"http://h/root\",\"$ref\":\"#/x-own/deep/"
			      "0\",\"x-own\":{\"deep\":[{\"$ref\":\"other#name\"}]},"
			      "\"definitions\":{\"o\":{\"$id\":\"other\",\"$defs\":{\"n\":{\"$"
			      "anchor\":\"name\",\"$ref\":\"#/$defs/"
			      "a~1b%25\"},\"a/b%\":{\"$ref\":\"/root#/$defs/"
			      "last\"}}}},\"$defs\":{\"last\":{\"type\":\"null\"}}}");

	cases_assert_only_violation(schema, "1", "type", "must be null");
	schema_free(schema);
}

static void
keeps_a_copy_of_the_document(void **state)
{
	struct json_object *document = cases_parse("{\"properties\":{\"a\":{\"default\":{\"b\":[1]}}}}");
	struct json_object *first = cases_parse("{}"), *second = cases_parse("{}");
	CLEANUP(text_fini) struct text mistake = {0};
	struct schema *schema = NULL;

	assert_int_equal(schema_compile(document, &plain, &schema, &mistake), 0);
	json_object_put(document);
	assert_int_equal(schema_fill_defaults(schema, first), 0);
	json_object_array_add(json_find(first, "a", "b", NULL), cases_parse("2"));
	assert_int_equal(schema_fill_defaults(schema, second), 0);
	schema_free(schema);
	cases_assert_json(first, "{\"a\":{\"b\":[1,2]}}");
	cases_assert_json(second, "{\"a\":{\"b\":[1]}}");
	json_object_put(first);
	json_object_put(second);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_mistakes),
		cmocka_unit_test(tells_at_most_twenty_mistakes),
		cmocka_unit_test(refuses_a_document_that_is_too_deep),
		cmocka_unit_test(refuses_chains_that_are_too_long),
		cmocka_unit_test(follows_references_of_all_kinds),
		cmocka_unit_test(keeps_a_copy_of_the_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
