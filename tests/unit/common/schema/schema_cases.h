/* What tests of schemas share: schemas and instances from JSON, and what a schema says of them. */
#pragma once

#include "common/cleanup.h"
#include "common/json/json.h"
#include "common/schema/schema.h"

/* The value of JSON text that is good. */
struct json_object *cases_parse(const char *text);

/* The schema of a document that is good; the caller's. */
struct schema *cases_compile_with(const char *text, const struct schema_options *options);
struct schema *cases_compile(const char *text); /* without options */

void cases_assert_json(struct json_object *value, const char *expected);

/* The violations of the instance, as JSON; "valid" if there are none.  The caller's. */
char *cases_validate(const struct schema *schema, struct json_object *instance);

/* One violation of the instance: its keyword and message are those given. */
void cases_assert_only_violation(
	const struct schema *schema, const char *instance_text, const char *keyword, const char *message);

/* Before, count times what, after; the caller's. */
char *cases_repeat(const char *before, const char *what, size_t count, const char *after);
