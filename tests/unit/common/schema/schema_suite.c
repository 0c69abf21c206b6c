/*
 * Runs the official test suite of JSON Schema, draft 2020-12: schema_suite DIRECTORY, where DIRECTORY is its
 * tests/draft2020-12. Prints "N of M passed, K excluded" for what is required, for the formats that can be
 * asserted, and for what else is optional; exit status 1 if anything failed.
 *
 * Some schemas are a single $ref to the meta-schema, which we do not have as a document: what it says is what
 * schema_compile() checks.  Their tests are run by compiling the instance as a schema, and counted on a line
 * of their own.
 */
#include "common/cleanup.h"
#include "common/json/json.h"
#include "common/schema/schema.h"
#include "common/text.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REMOTE "refers to a document that is to be fetched"
#define VOCABULARY "needs a meta-schema of its own to switch vocabularies"

/* What is not run, and why.  NULL: every group of the file. */
static const struct {
	const char *file;
	const char *group;
	const char *reason;
} exclusions[] = {
	{"dynamicRef.json", "strict-tree schema, guards against misspelled properties", REMOTE},
	{"dynamicRef.json", "tests for implementation dynamic anchor and reference link", REMOTE},
	{"dynamicRef.json", "$ref and $dynamicAnchor are independent of order - $defs first", REMOTE},
	{"dynamicRef.json", "$ref and $dynamicAnchor are independent of order - $ref first", REMOTE},
	{"refRemote.json", NULL, REMOTE},
	{"vocabulary.json", NULL, VOCABULARY},
	{"cross-draft.json", NULL, "refers to a document of another draft"},
	{"format-assertion.json", NULL, VOCABULARY},
};

static const char *const formats[] = {"date-time", "date", "time", "duration", "email", "hostname", "ipv4",
	"ipv6", "uri", "uuid", "json-pointer", "regex", "unknown"};

struct score {
	unsigned passed;
	unsigned run;
	unsigned excluded;
};

static struct score required, optional, format, meta;

static char *
read_file(const char *path, size_t *ret_len)
{
	FILE *file = fopen(path, "re");
	struct text text = {0};
	size_t n;

	if (!file) {
		perror(path);
		exit(2);
	}
	while ((n = fread(text_reserve(&text, 65536), 1, 65536, file)) > 0)
		text.len += n;
	fclose(file);
	*ret_len = text.len;
	return text_take(&text);
}

static const char *
find_exclusion(const char *file, const char *group)
{
	for (size_t i = 0; i < sizeof exclusions / sizeof *exclusions; i++)
		if (strcmp(exclusions[i].file, file) == 0 &&
			(!exclusions[i].group || strcmp(exclusions[i].group, group) == 0))
			return exclusions[i].reason;
	return NULL;
}

static void
run_test(const struct schema *schema, const char *file, const char *group, struct json_object *test,
	struct score *score)
{
	bool expected = json_object_get_boolean(json_find(test, "valid", NULL));
	struct json_object *instance = json_find(test, "data", NULL), *errors = NULL;
	bool valid = schema_validate(schema, instance, &errors) == 0;
	bool quietly_valid = schema_validate(schema, instance, NULL) == 0;

	score->run++;
	if (valid == expected && quietly_valid == expected) {
		score->passed++;
	} else {
		printf("FAILED %s: %s: %s: %s\n", file, group,
			json_object_get_string(json_find(test, "description", NULL)),
			errors	? json_object_to_json_string(errors)
			: valid ? "accepted"
				: "refused");
	}
	json_object_put(errors);
}

static bool
is_meta_schema(struct json_object *schema)
{
	struct json_object *ref = json_find(schema, "$ref", NULL);

	return ref &&
	       strcmp(json_object_get_string(ref), "https://json-schema.org/draft/2020-12/schema") == 0;
}

static void
run_meta_test(const char *file, const char *group, struct json_object *test)
{
	static const struct schema_options options = {0};
	bool expected = json_object_get_boolean(json_find(test, "valid", NULL));
	CLEANUP(text_fini) struct text mistake = {0};
	struct schema *schema = NULL;
	bool valid = schema_compile(json_find(test, "data", NULL), &options, &schema, &mistake) == 0;

	schema_free(schema);
	meta.run++;
	meta.passed += valid == expected;
	if (valid != expected)
		printf("FAILED %s: %s: %s: %s\n", file, group,
			json_object_get_string(json_find(test, "description", NULL)),
			valid ? "accepted" : mistake.data);
}

static void
run_group(const char *file, struct json_object *group, const struct schema_options *options,
	struct score *score)
{
	const char *name = json_object_get_string(json_find(group, "description", NULL));
	struct json_object *tests = json_find(group, "tests", NULL);
	CLEANUP(text_fini) struct text mistake = {0};
	const char *reason = find_exclusion(file, name);
	struct schema *schema = NULL;

	if (reason) {
		printf("excluded %s: %s: %s\n", file, name, reason);
		score->excluded += (unsigned)json_object_array_length(tests);
		return;
	}
	for (size_t i = 0;
		is_meta_schema(json_find(group, "schema", NULL)) && i < json_object_array_length(tests); i++)
		run_meta_test(file, name, json_object_array_get_idx(tests, i));
	if (is_meta_schema(json_find(group, "schema", NULL)))
		return;
	if (schema_compile(json_find(group, "schema", NULL), options, &schema, &mistake) < 0) {
		printf("FAILED %s: %s: %s", file, name, mistake.data);
		score->run += (unsigned)json_object_array_length(tests);
		return;
	}
	for (size_t i = 0; i < json_object_array_length(tests); i++)
		run_test(schema, file, name, json_object_array_get_idx(tests, i), score);
	schema_free(schema);
}

static void
run_file(const char *directory, const char *file, const struct schema_options *options, struct score *score)
{
	CLEANUP_FREE char *path = xasprintf("%s/%s", directory, file);
	struct json_object *groups;
	struct json_mistake mistake;
	size_t len;

	CLEANUP_FREE char *data = read_file(path, &len);
	if (json_parse(data, len, &groups, &mistake) < 0) {
		printf("FAILED %s: line %zu: %s\n", file, mistake.line, mistake.reason);
		score->run++;
		return;
	}
	for (size_t i = 0; i < json_object_array_length(groups); i++)
		run_group(file, json_object_array_get_idx(groups, i), options, score);
	json_object_put(groups);
}

static int
is_json(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 5 && strcmp(entry->d_name + len - 5, ".json") == 0;
}

static void
run_directory(const char *directory, struct score *score)
{
	static const struct schema_options options = {0};
	struct dirent **entries;
	int count = scandir(directory, &entries, is_json, alphasort);

	if (count < 0) {
		perror(directory);
		exit(2);
	}
	for (int i = 0; i < count; i++) {
		run_file(directory, entries[i]->d_name, &options, score);
		free(entries[i]);
	}
	free(entries);
}

static bool
tell(const char *what, const struct score *score)
{
	printf("%s: %u of %u passed, %u excluded\n", what, score->passed, score->run, score->excluded);
	return score->passed == score->run && score->run > 0;
}

int
main(int argc, char **argv)
{
	static const struct schema_options asserting = {.assert_formats = true};
	char path[PATH_MAX];

	if (argc != 2) {
		fprintf(stderr, "usage: schema_suite DIRECTORY\n");
		return 2;
	}
	run_directory(argv[1], &required);
	snprintf(path, sizeof path, "%s/optional", argv[1]);
	run_directory(path, &optional);
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
		snprintf(path, sizeof path, "optional/format/%s.json", formats[i]);
		run_file(argv[1], path, &asserting, &format);
	}
	bool good = tell("required", &required);
	good &= tell("formats", &format);
	good &= tell("optional", &optional);
	good &= tell("meta-schema", &meta);
	return good ? 0 : 1;
}
