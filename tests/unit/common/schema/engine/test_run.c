/* What bounds a validation: patterns, work, and the stack; and many threads that share a schema. */
#include "tests/unit/common/schema/schema_cases.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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

/* Patterns and texts that would take PCRE2 from seconds to for ever. */
static void
bounds_patterns(void **state)
{
	CLEANUP_FREE char *as = cases_repeat("\"", "a", 200000, "\"");
	static const char *const schemas[] = {"{\"pattern\":\"a*[bc]\"}", "{\"pattern\":\"(a*)*[bc]\"}",
		"{\"not\":{\"pattern\":\"(a|aa)+[bc]\"}}", "{\"anyOf\":[true,{\"pattern\":\"(a|aa)+[bc]\"}]}",
		"{\"if\":{\"pattern\":\"(.*)(.*)(.*)[bc]\"}}"};

	for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) {
		struct schema *schema = cases_compile(schemas[i]);
		CLEANUP(cleanup_json) struct json_object *instance = cases_parse(as);
		CLEANUP_FREE char *errors = cases_validate(schema, instance);
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
	CLEANUP_FREE char *text = cases_repeat("{\"", "a", 200000, "\":1}");
	struct schema *schema = cases_compile(
		"{\"patternProperties\":{\"a*[bc]\":true},\"propertyNames\":{\"pattern\":\"^a+$\"}}");

	cases_assert_only_violation(schema, text, "patternProperties", "is too complex for the pattern");
	schema_free(schema);
}

/* A plain pattern is no trouble for a text of any length. */
static void
matches_long_texts(void **state)
{
	CLEANUP_FREE char *text = cases_repeat("\"", "aB3+", 4000000, "==\"");
	CLEANUP(cleanup_json) struct json_object *instance = cases_parse(text);
	struct schema *schema = cases_compile("{\"pattern\":\"^[A-Za-z0-9+/]*={0,2}$\"}");

	assert_int_equal(schema_validate(schema, instance, NULL), 0);
	schema_free(schema);
}

static void
bounds_the_whole(void **state)
{
	static const struct schema_options few = {.max_steps = 1000};
	struct schema *schema = cases_compile_with("{\"items\":{\"type\":\"integer\"}}", &few);
	CLEANUP_FREE char *some = cases_repeat("[1", ",1", 50, "]");
	CLEANUP_FREE char *many = cases_repeat("[1", ",1", 1000, "]");
	CLEANUP(cleanup_json) struct json_object *instance = cases_parse(some);

	assert_int_equal(schema_validate(schema, instance, NULL), 0);
	cases_assert_only_violation(schema, many, "limit", "too large to be validated");
	schema_free(schema);
	/* within a match, and where giving up looks like an answer */
	schema = cases_compile_with("{\"pattern\":\"a*[bc]\"}", &few);
	CLEANUP_FREE char *text = cases_repeat("\"", "a", 1000, "\"");
	cases_assert_only_violation(schema, text, "limit", "too large to be validated");
	schema_free(schema);
	schema = cases_compile_with("{\"not\":{\"items\":{\"type\":\"integer\"}}}", &few);
	cases_assert_only_violation(schema, many, "limit", "too large to be validated");
	schema_free(schema);
	schema = cases_compile_with("{\"uniqueItems\":true}", &few);
	cases_assert_only_violation(schema, many, "limit", "too large to be validated");
	CLEANUP_FREE char *name = cases_repeat("[{\"", "n", 100000, "\":1},{\"b\":2}]");
	cases_assert_only_violation(schema, name, "limit", "too large to be validated");
	schema_free(schema);
	schema = cases_compile_with("{\"contains\":{\"const\":2},\"minContains\":0,\"maxContains\":5}", &few);
	cases_assert_only_violation(schema, many, "limit", "too large to be validated");
	schema_free(schema);
}

/* Each level asks twice: 2^60 questions, were there no end to it. */
static void
bounds_what_grows_exponentially(void **state)
{
	struct schema *schema =
		cases_compile("{\"anyOf\":[{\"items\":{\"$ref\":\"#\"},\"minItems\":1},{\"items\":{\"$ref\":"
			      "\"#\"},\"maxItems\":5,\"minItems\":1}]}");
	CLEANUP_FREE char *before = cases_repeat("", "[", 60, "");
	CLEANUP_FREE char *text = cases_repeat(before, "]", 60, "");

	cases_assert_only_violation(schema, text, "limit", "too large to be validated");
	schema_free(schema);
}

static void *
validate_dynamic_loop(void *arg)
{
	struct schema *schema = cases_compile(
		"{\"$dynamicAnchor\":\"x\",\"anyOf\":[{\"$dynamicRef\":\"#x\"},{\"$dynamicRef\":"
		"\"#x\"}],\"unevaluatedItems\":true}");

	cases_assert_only_violation(schema, "[]", "limit", "nested too deeply for its schema");
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

static void *
use_schema(void *arg)
{
	static const char *const instances[] = {"{\"n\":1,\"s\":\"abc\",\"l\":[1,2,3]}",
		"{\"n\":1.5,\"s\":\"b\"}", "{}", "{\"l\":[1,1.0,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}",
		"{\"sub\":{\"sub\":{\"s\":\"b\"}}}"};

	for (int i = 0; i < 200; i++) {
		struct json_object *instance = cases_parse(instances[i % 5]), *errors = NULL;
		assert_int_equal(schema_fill_defaults(arg, instance), 0);
		cases_assert_json(json_find(instance, "d", "x", NULL), "[1.5,\"y\"]");
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
	struct schema *schema =
		cases_compile("{\"$dynamicAnchor\":\"t\",\"properties\":{\"n\":{\"type\":"
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds_patterns),
		cmocka_unit_test(bounds_patterns_of_names),
		cmocka_unit_test(matches_long_texts),
		cmocka_unit_test(bounds_the_whole),
		cmocka_unit_test(bounds_what_grows_exponentially),
		cmocka_unit_test(bounds_dynamic_loops_in_a_small_stack),
		cmocka_unit_test(serves_many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
