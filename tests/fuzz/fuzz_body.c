/*
 * Fuzzes the body of a call on its way to being a resource: parsed, out of its envelope, merged, filled in
 * and judged by a schema.  The first byte says how the route is configured; the rest is the body.  Whatever
 * it is, the verdict has its reason, is the same the second time, and what is taken is a document that would
 * be taken again.
 */
#include "calls/call/intake.h"
#include "common/blob.h"
#include "common/cleanup.h"
#include "common/json/json.h"
#include "common/schema/schema.h"
#include "store/resources.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bits of the first byte; the two highest choose the schema. */
enum { OF_COLLECTION = 1, IN_ENVELOPE = 2, MERGES = 4, FILLS_DEFAULTS = 8 };

static const char *const schema_texts[] = {
	/* as an API of zones would have it */
	"{\"type\":\"object\",\"required\":[\"name\"],\"additionalProperties\":false,\"properties\":{"
	"\"name\":{\"type\":\"string\",\"pattern\":\"^[a-z.]+$\",\"maxLength\":20},"
	"\"ttl\":{\"type\":\"integer\",\"minimum\":1,\"default\":3600},"
	"\"masters\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"uniqueItems\":true,\"maxItems\":4}"
	","
	"\"options\":{\"type\":\"object\",\"default\":{},\"properties\":{\"dnssec\":{\"default\":false}}}}}",
	/* what recurses, and counts */
	"{\"$ref\":\"#/$defs/tree\",\"$defs\":{\"tree\":{\"type\":[\"object\",\"null\"],\"maxProperties\":3,"
	"\"properties\":{\"left\":{\"$ref\":\"#/$defs/tree\"},\"right\":{\"$ref\":\"#/$defs/tree\"},"
	"\"value\":{\"multipleOf\":0.1,\"default\":0}},\"unevaluatedProperties\":false}}}",
	/* alternatives */
	"{\"oneOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}],\"propertyNames\":{\"minLength\":1},"
	"\"dependentRequired\":{\"c\":[\"a\"]},\"if\":{\"required\":[\"d\"]},\"then\":{\"contains\":{}},"
	"\"patternProperties\":{\"^x-\":{\"enum\":[1,1.0,\"1\",null]}},\"minProperties\":1}",
	NULL, /* any JSON will do */
};
#define SCHEMA_COUNT (sizeof schema_texts / sizeof *schema_texts)

static char *no_names[] = {NULL};
static char *envelope[] = {(char *)"data", (char *)"attri/butes", NULL};
static struct store_collection collections[] = {
	{.unique = no_names, .index = no_names, .envelope = no_names, .parent_member = (char *)"zone_id"},
	{.unique = no_names, .index = no_names, .envelope = envelope},
};
static const char before[] =
	"{\"name\":\"a.example\",\"ttl\":1,\"options\":{\"dnssec\":true,\"x\":[1]},\"b\":null}";

static const struct schema *
schema_of(size_t index)
{
	static struct schema *schemas[SCHEMA_COUNT];
	static const struct schema_options options = {.max_steps = 300000};
	CLEANUP(cleanup_json) struct json_object *document = NULL;
	CLEANUP(text_fini) struct text mistakes = {0};
	struct json_mistake mistake;

	if (schemas[index] || !schema_texts[index])
		return schemas[index];
	int rc = json_parse(schema_texts[index], strlen(schema_texts[index]), &document, &mistake);
	if (rc == 0)
		rc = schema_compile(document, &options, &schemas[index], &mistakes);
	assert(rc == 0);
	return schemas[index];
}

static void
check_errors(const struct intake *intake)
{
	size_t count = intake->errors ? json_object_array_length(intake->errors) : 0;
	const char *around =
		intake->collection && intake->collection->envelope[0] ? "/data/attri~1butes" : "";

	assert(count <= SCHEMA_VIOLATIONS_MAX);
	for (size_t i = 0; i < count; i++) {
		struct json_object *error = json_object_array_get_idx(intake->errors, i);
		const char *pointer = json_object_get_string(json_find(error, "pointer", NULL));
		const char *keyword = json_object_get_string(json_find(error, "keyword", NULL));
		const char *message = json_object_get_string(json_find(error, "message", NULL));
		assert(pointer && (*pointer == '\0' || *pointer == '/'));
		assert(keyword && *keyword && message && *message);
		/* Where there is no object, that is told of the place where one was wanted. */
		assert(strncmp(pointer, around, strlen(around)) == 0 ||
			(count == 1 && strncmp(pointer, around, strlen(pointer)) == 0));
	}
}

static void
check_refusal(const struct intake *intake)
{
	assert(intake->problem == PROBLEM_INVALID_JSON || intake->problem == PROBLEM_INVALID_BODY);
	assert(intake->detail && intake->detail[0] && text_is_utf8(intake->detail, strlen(intake->detail)));
	assert(intake->problem == PROBLEM_INVALID_BODY || !intake->errors);
	check_errors(intake);
}

/* What was taken is as good in the text that is kept of it. */
static void
check_document(const struct intake *intake)
{
	CLEANUP(cleanup_json) struct json_object *again = NULL;
	struct json_mistake mistake;

	assert(!intake->errors);
	if (intake->collection) {
		assert(json_object_is_type(intake->value, json_type_object));
		json_object_object_foreach(intake->value, name, value)
		{
			(void)value;
			assert(!store_collection_owns(intake->collection, name));
		}
	}
	const char *text = json_object_to_json_string_ext(intake->value, JSON_C_TO_STRING_PLAIN);
	int rc = json_parse(text, strlen(text), &again, &mistake);
	assert(rc == 0);
	/* As text: json-c may read a number such as 1e-0 as another type than what it writes of it. */
	CLEANUP_FREE char *kept = xstrdup(text);
	assert(strcmp(json_object_to_json_string_ext(again, JSON_C_TO_STRING_PLAIN), kept) == 0);
	assert(!intake->schema || schema_validate(intake->schema, again, NULL) == 0);
}

static void
judge(struct intake *intake)
{
	intake_parse(intake);
	intake_judge(intake);
	if (intake->problem == PROBLEM_NONE)
		check_document(intake);
	else
		check_refusal(intake);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	uint8_t how = data[0];
	struct intake intake = {
		.schema = schema_of((how >> 6) % SCHEMA_COUNT),
		.collection = how & OF_COLLECTION ? &collections[(how & IN_ENVELOPE) != 0] : NULL,
		.body = blob_new(data + 1, size - 1),
		.fills_defaults = (how & FILLS_DEFAULTS) != 0,
	};

	if (intake.collection && (how & MERGES)) {
		intake.merges = true;
		intake.document = xstrdup(before);
	}
	judge(&intake);
	enum problem problem = intake.problem;
	CLEANUP_FREE char *detail = xstrdup(intake.detail);
	intake_reset(&intake);
	judge(&intake);
	assert(intake.problem == problem);
	assert(!detail == !intake.detail && (!detail || strcmp(detail, intake.detail) == 0));
	intake_fini(&intake);
	return 0;
}
