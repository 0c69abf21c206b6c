/* The OpenAPI document: what it says of each kind of route, and that it holds together. */
#include "common/text.h"
#include "config/config.h"
#include "openapi/openapi.h"
#include "styles/style.h"
#include "tests/unit/server/config/config_cases.h"

#include <json-c/json.h>
#include <json-c/json_pointer.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ALL_KINDS \
	"{\"public_url\": \"https://api.example.com\", \"routes\": [" \
	"{\"path\": \"/sort\", \"query\": [\"key\"], \"request_types\": [\"text/*\", \"text/csv\"]," \
	" \"program\": {\"argv\": [\"/bin/cat\", \"{key}\"], \"response_type\": \"text/plain\"}}," \
	"{\"path\": \"/cgi/{size}\", \"style\": \"status\", \"methods\": [\"GET\", \"POST\", \"DELETE\"]," \
	" \"schema\": {\"$ref\": \"#/$defs/a\", \"$defs\": {\"a\": true}}," \
	" \"program\": {\"argv\": [\"/bin/cat\"], \"protocol\": \"cgi\"}}," \
	"{\"path\": \"/up/{rest...}\", \"idempotency\": \"required\"," \
	" \"upstream\": {\"url\": \"http://127.0.0.1:9/b\"}}," \
	"{\"path\": \"/hold/{id}\", \"style\": \"token\", \"base_path\": \"/b\"," \
	" \"program\": {\"argv\": [\"/bin/cat\"]}}," \
	"{\"path\": \"/zones\", \"style\": \"resource\", \"collection\": {\"name\": \"zones\"," \
	" \"schema\": {\"type\": \"object\"}}}," \
	"{\"path\": \"/zones/{zone_id}/sets\", \"collection\": {\"name\": \"sets\", \"parent\": \"zones\"," \
	" \"envelope\": [\"data\", \"attributes\"], \"delete_status\": 200}}]}"

static struct json_object *
make(const char *json)
{
	struct config *config = config_cases_load(json);
	struct json_object *document = openapi_document(config, style_table);

	config_free(config);
	return document;
}

/* What stands at pointers of the document, as JSON; NULL: nothing. */
static const struct {
	const char *pointer, *json;
} places[] = {
	{"/openapi", "\"3.1.0\""},
	{"/servers/0/url", "\"https://api.example.com\""},
	/* a filter answers 200 of its type, takes its types, and asks for its parameter of the query */
	{"/paths/~1sort/post/responses/200/content", "{\"text/plain\":{}}"},
	{"/paths/~1sort/post/requestBody/content", "{\"text/*\":{},\"text/csv\":{}}"},
	{"/paths/~1sort/post/parameters/0",
		"{\"schema\":{\"type\":\"string\"},\"name\":\"key\",\"in\":\"query\",\"required\":true}"},
	{"/paths/~1sort/post/responses/202", "{\"$ref\":\"#/components/responses/Accepted\"}"},
	{"/paths/~1sort/get", NULL},
	/* what another program answers is its own; each style has its 202; a DELETE has no body */
	{"/paths/~1cgi~1{size}/post/responses/200", NULL},
	{"/paths/~1cgi~1{size}/post/responses/default/description", "\"What the work answers.\""},
	{"/paths/~1cgi~1{size}/post/responses/202", "{\"$ref\":\"#/components/responses/AcceptedStatus\"}"},
	{"/paths/~1cgi~1{size}/delete/responses/204", "{\"$ref\":\"#/components/responses/AcceptedDelete\"}"},
	{"/paths/~1cgi~1{size}/get/responses/202", "{\"$ref\":\"#/components/responses/Accepted\"}"},
	{"/paths/~1cgi~1{size}/delete/requestBody", NULL},
	{"/paths/~1cgi~1{size}/head", NULL},
	/* a schema stands in the document as it is, and its references mean itself */
	{"/paths/~1cgi~1{size}/post/requestBody/content/application~1json/schema",
		"{\"$ref\":\"#/components/schemas/.cgi._7Bsize_7D.GET\"}"},
	{"/components/schemas/.cgi._7Bsize_7D.GET",
		"{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":true},\"$id\":\"urn:deferd:.cgi._7Bsize_7D.GET\"}"},
	{"/paths/~1up~1{rest}/put/parameters/2", "{\"$ref\":\"#/components/parameters/async\"}"},
	{"/paths/~1up~1{rest}/put/parameters/3", "{\"$ref\":\"#/components/parameters/requiredKey\"}"},
	/* tokens are polled below the path */
	{"/paths/~1b~1hold~1{id}~1poll/parameters/0/name", "\"id\""},
	{"/paths/~1b~1hold~1{id}~1poll/get/parameters/0/name", "\"asyncOperationToken\""},
	{"/paths/~1sort~1poll", NULL},
	/* collections: the list and the item */
	{"/paths/~1zones/get/responses/200/content/application~1json/schema",
		"{\"$ref\":\"#/components/schemas/zones.list\"}"},
	{"/paths/~1zones/post/requestBody/content/application~1json/schema",
		"{\"$ref\":\"#/components/schemas/zones.members\"}"},
	{"/paths/~1zones/post/responses/202/content/application~1json/schema",
		"{\"$ref\":\"#/components/schemas/zones.item\"}"},
	{"/paths/~1zones~1{id}/delete/responses/204/description", "\"It is done.\""},
	{"/paths/~1zones~1{zone_id}~1sets~1{id}/delete/responses/200/content/application~1json/schema",
		"{\"$ref\":\"#/components/schemas/sets.item\"}"},
	{"/components/schemas/sets.item/properties/data/required", "[\"attributes\"]"},
	{"/components/schemas/zones.list/properties/zones/items",
		"{\"$ref\":\"#/components/schemas/zones.item\"}"},
	/* monitors, under base paths as well */
	{"/paths/~1operations~1{id}/delete/responses/409",
		"{\"$ref\":\"#/components/responses/AlreadyEnded\"}"},
	{"/paths/~1b~1async~1v1~1requests~1{id}~1response/get/responses/202",
		"{\"$ref\":\"#/components/responses/Accepted\"}"},
	{"/paths/~1b~1async~1v1~1requests~1{id}~1response/delete/responses/409",
		"{\"$ref\":\"#/components/responses/AlreadyEnded\"}"},
	{"/security", "[]"},
};

static void
test_places(void **state)
{
	struct json_object *document = make(ALL_KINDS);

	(void)state;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		struct json_object *found = NULL;
		int error = json_pointer_get(document, places[i].pointer, &found);
		const char *json = json_object_to_json_string_ext(
			found, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
		if ((error != 0) != (places[i].json == NULL) ||
			(places[i].json && strcmp(json, places[i].json) != 0))
			fail_msg("%s: %s", places[i].pointer, error ? "nothing" : json);
	}
	json_object_put(document);
}

/* Every reference into the document leads to something. */
static void
check_references(struct json_object *document, struct json_object *value, size_t *count)
{
	struct json_object *found;

	if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(value); i++)
			check_references(document, json_object_array_get_idx(value, i), count);
	}
	if (!json_object_is_type(value, json_type_object) || json_object_object_get(value, "$id"))
		return;
	json_object_object_foreach(value, name, member)
	{
		if (strcmp(name, "$ref") != 0) {
			check_references(document, member, count);
			continue;
		}
		const char *target = json_object_get_string(member);
		assert_int_equal(target[0], '#');
		if (json_pointer_get(document, target + 1, &found) != 0)
			fail_msg("%s leads nowhere", target);
		++*count;
	}
}

static bool
has_parameter(struct json_object *document, struct json_object *parameters, const char *name, size_t len)
{
	for (size_t i = 0; parameters && i < json_object_array_length(parameters); i++) {
		struct json_object *one = json_object_array_get_idx(parameters, i), *ref;
		if (json_object_object_get_ex(one, "$ref", &ref))
			assert_int_equal(
				json_pointer_get(document, json_object_get_string(ref) + 1, &one), 0);
		const char *its_name = json_object_get_string(json_object_object_get(one, "name"));
		const char *in = json_object_get_string(json_object_object_get(one, "in"));
		if (strcmp(in, "path") == 0 && strlen(its_name) == len && memcmp(its_name, name, len) == 0)
			return true;
	}
	return false;
}

/* Every {name} of the path is a parameter, of the path as a whole or of each of its operations. */
static void
check_path(struct json_object *document, const char *path, struct json_object *item)
{
	struct json_object *shared = json_object_object_get(item, "parameters");

	for (const char *c = path; (c = strchr(c, '{')); c++) {
		size_t len = strcspn(c + 1, "}");
		if (has_parameter(document, shared, c + 1, len))
			continue;
		json_object_object_foreach(item, method, operation)
		{
			if (!has_parameter(
				    document, json_object_object_get(operation, "parameters"), c + 1, len))
				fail_msg("%s %s does not tell %.*s", method, path, (int)len, c + 1);
		}
	}
}

static void
check_whole(struct json_object *document)
{
	size_t references = 0;

	check_references(document, document, &references);
	assert_true(references > 50);
	json_object_object_foreach(json_object_object_get(document, "paths"), path, item)
	{
		check_path(document, path, item);
	}
	json_object_put(document);
}

static void
test_holds_together(void **state)
{
	(void)state;
	check_whole(make(ALL_KINDS));
}

static void
test_samples(void **state)
{
	struct text mistakes = {0};
	struct config *config;

	(void)state;
	assert_int_equal(config_read("scripts/samples/deferd.json", style_table, &config, &mistakes), 0);
	check_whole(openapi_document(config, style_table));
	config_free(config);
	text_fini(&mistakes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_holds_together),
		cmocka_unit_test(test_samples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
