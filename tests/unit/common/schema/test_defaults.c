/* Filling in the defaults of a schema, and the limits of that. */
#include "tests/unit/common/schema/schema_cases.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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
		struct schema *schema = cases_compile(cases[i].schema);
		CLEANUP(cleanup_json) struct json_object *instance = cases_parse(cases[i].instance);
		assert_int_equal(schema_fill_defaults(schema, instance), 0);
		cases_assert_json(instance, cases[i].filled);
		schema_free(schema);
	}
}

static void
refuses_to_fill_in_too_much(void **state)
{
	struct schema *schema = cases_compile("{\"items\":{\"properties\":{\"a\":{\"default\":[1,2,3]}}}}");
	CLEANUP_FREE char *many = cases_repeat("[{}", ",{}", SCHEMA_FILLED_MAX / 4, "]");
	CLEANUP(cleanup_json) struct json_object *instance = cases_parse(many);

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
	struct schema *schema =
		cases_compile("{\"properties\":{\"a\":{\"$ref\":\"#\"},\"d\":{\"default\":[[]]}}}");

	for (int depth = JSON_DEPTH_MAX - 3; depth < JSON_DEPTH_MAX; depth++) {
		CLEANUP_FREE char *before = cases_repeat("", "{\"d\":1,\"a\":", (size_t)depth - 1, "{}");
		CLEANUP_FREE char *text = cases_repeat(before, "}", (size_t)depth - 1, "");
		CLEANUP(cleanup_json) struct json_object *instance = cases_parse(text);
		assert_int_equal(
			schema_fill_defaults(schema, instance), depth + 2 <= JSON_DEPTH_MAX ? 0 : -E2BIG);
	}
	schema_free(schema);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_in_defaults),
		cmocka_unit_test(refuses_to_fill_in_too_much),
		cmocka_unit_test(refuses_to_fill_in_too_deeply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
