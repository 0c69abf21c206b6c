/* Tables of configurations: see config_cases.h. */
#include "tests/unit/server/config/config_cases.h"

#include "config/private.h"
#include "styles/style.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Reads json; answers the configuration, if there is one, and the lines (malloc'ed). */
static struct config *
load(const char *json, char **ret_lines)
{
	struct json_object *root = NULL;
	struct settings settings;

	config_begin(&settings, TEST_DATA "/config/deferd.json", style_table);
	assert_non_null(settings.directory);
	struct config *config = config_load(&settings, json, strlen(json), &root);
	assert_int_equal(settings.mistakes.pointer.len, 0);
	*ret_lines = text_take(&settings.mistakes.lines);
	json_object_put(root);
	config_end(&settings);
	return config;
}

static void
check(const char *json, const char *expected)
{
	char *lines;
	struct config *config = load(json, &lines);

	if (strcmp(lines, expected) != 0)
		fail_msg("%s\ngave:\n%sinstead of:\n%s", json, lines, expected);
	free(lines);
	config_free(config);
}

void
config_cases_check(const struct config_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check(cases[i].json, cases[i].lines);
}

void
config_cases_check_routes(const struct config_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *json = xasprintf("{\"routes\": [%s]}", cases[i].json);
		check(json, cases[i].lines);
		free(json);
	}
}

struct config *
config_cases_load(const char *json)
{
	char *lines;
	struct config *config = load(json, &lines);

	assert_string_equal(lines, "");
	assert_non_null(config);
	free(lines);
	return config;
}

static void
check_value(config_convert_fn convert, const char *directory, const struct config_value_case *one)
{
	struct settings settings = {.mistakes.file = "F", .directory = xstrdup(directory)};
	char *kept = convert(&settings, one->string);

	if ((kept == NULL) != (one->kept == NULL) || (kept && strcmp(kept, one->kept) != 0))
		fail_msg("%s: kept %s", one->string, kept ? kept : "nothing");
	if (settings.mistakes.count != (kept ? 0 : 1))
		fail_msg("%s: %zu lines", one->string, settings.mistakes.count);
	if (one->line && !strstr(settings.mistakes.lines.data, one->line))
		fail_msg("%s: %s", one->string, settings.mistakes.lines.data);
	free(kept);
	config_end(&settings);
}

void
config_values_check(
	config_convert_fn convert, const char *directory, const struct config_value_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_value(convert, directory, &cases[i]);
}
