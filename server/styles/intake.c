/* Intake: see intake.h. */
#include "styles/intake.h"

#include "common/blob.h"
#include "common/cleanup.h"
#include "common/json/json.h"
#include "common/json/merge.h"
#include "common/json/pointer.h"
#include "common/schema/schema.h"
#include "store/resources.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 3, 4))) static void
object_to(struct intake *intake, enum problem problem, const char *format, ...)
{
	struct text detail = {0};
	va_list args;

	va_start(args, format);
	text_addv(&detail, format, args);
	va_end(args);
	intake->problem = problem;
	free(intake->detail);
	intake->detail = text_take(&detail);
}

static void
add_error(struct intake *intake, const char *pointer, const char *keyword, const char *message)
{
	struct json_object *error = json_object_new_object();

	if (!intake->errors)
		intake->errors = json_object_new_array();
	json_object_object_add(error, "pointer", json_object_new_string(pointer));
	json_object_object_add(error, "keyword", json_object_new_string(keyword));
	json_object_object_add(error, "message", json_object_new_string(message));
	json_object_array_add(intake->errors, error);
}

static void
object_to_type(struct intake *intake, const struct text *pointer)
{
	const char *place = pointer->data ? pointer->data : "";

	object_to(intake, PROBLEM_INVALID_BODY, "%s%smust be an object.", place[0] ? place : "The body", " ");
	add_error(intake, place, "type", "must be an object");
}

/* Returns all bytes of a body, or NULL if they cannot be read. */
static char *
read_all(const struct blob *body, size_t *ret_len)
{
	char *data = blob_dup(body, ret_len);

	if (*ret_len == blob_len(body))
		return data;
	free(data);
	return NULL;
}

/* Goes inside the envelope: value becomes what is wrapped. */
static void
unwrap(struct intake *intake)
{
	CLEANUP(text_fini) struct text pointer = {0};
	char **name = intake->collection->envelope;

	for (; json_object_is_type(intake->value, json_type_object) && *name; name++) {
		struct json_object *inside = json_object_get(json_find(intake->value, *name, NULL));
		json_pointer_add(&pointer, *name);
		json_object_put(intake->value);
		intake->value = inside;
	}
	if (!json_object_is_type(intake->value, json_type_object))
		object_to_type(intake, &pointer);
}

void
intake_parse(struct intake *intake)
{
	struct json_mistake mistake;
	size_t len = 0;
	CLEANUP_FREE char *data = read_all(intake->body, &len);

	if (!data) {
		object_to(intake, PROBLEM_STORAGE, "The body could not be read.");
		return;
	}
	if (json_parse(data, len, &intake->value, &mistake) < 0) {
		object_to(intake, PROBLEM_INVALID_JSON, "Line %zu, column %zu: %s.", mistake.line,
			mistake.column, mistake.reason);
		return;
	}
	if (intake->collection)
		unwrap(intake);
}

/* The value becomes the resource's document as the patch would leave it. */
static void
merge(struct intake *intake)
{
	struct json_object *before = NULL;
	struct json_mistake mistake;

	if (json_parse(intake->document, strlen(intake->document), &before, &mistake) < 0) {
		object_to(intake, PROBLEM_INTERNAL, "The resource could not be read.");
		return;
	}
	struct json_object *merged = json_merge(before, intake->value);
	json_object_put(before);
	json_object_put(intake->value);
	intake->value = merged;
}

/* A violation is told where it is in the body, not in what is in the envelope. */
static void
wrap_pointers(struct intake *intake)
{
	CLEANUP(text_fini) struct text envelope = {0};

	for (char **name = intake->collection->envelope; *name; name++)
		json_pointer_add(&envelope, *name);
	if (!envelope.data)
		return;
	for (size_t i = 0; i < json_object_array_length(intake->errors); i++) {
		struct json_object *error = json_object_array_get_idx(intake->errors, i);
		const char *inside = json_object_get_string(json_find(error, "pointer", NULL));
		CLEANUP_FREE char *pointer = xasprintf("%s%s", envelope.data, inside);
		json_object_object_add(error, "pointer", json_object_new_string(pointer));
	}
}

static void
validate(struct intake *intake)
{
	if (schema_validate(intake->schema, intake->value, &intake->errors) == 0)
		return;
	size_t count = json_object_array_length(intake->errors);
	object_to(intake, PROBLEM_INVALID_BODY, "The body does not match the schema in %zu place%s.", count,
		count == 1 ? "" : "s");
	if (intake->collection)
		wrap_pointers(intake);
}

void
intake_judge(struct intake *intake)
{
	if (intake->problem != PROBLEM_NONE)
		return;
	if (intake->collection)
		store_collection_strip(intake->collection, intake->value);
	if (intake->merges)
		merge(intake);
	if (intake->problem != PROBLEM_NONE || !intake->schema)
		return;
	if (intake->fills_defaults && schema_fill_defaults(intake->schema, intake->value) < 0)
		object_to(
			intake, PROBLEM_INVALID_BODY, "The defaults of the schema make the body too large.");
	else
		validate(intake);
}

bool
intake_is_undecided(const struct intake *intake)
{
	size_t count = intake->errors ? json_object_array_length(intake->errors) : 0;

	for (size_t i = 0; i < count; i++) {
		struct json_object *error = json_object_array_get_idx(intake->errors, i);
		if (strcmp(json_object_get_string(json_find(error, "keyword", NULL)), "limit") == 0)
			return true;
	}
	return false;
}

void
intake_reset(struct intake *intake)
{
	json_object_put(intake->value);
	json_object_put(intake->errors);
	free(intake->detail);
	intake->value = intake->errors = NULL;
	intake->detail = NULL;
	intake->problem = PROBLEM_NONE;
}

void
intake_fini(struct intake *intake)
{
	intake_reset(intake);
	free(intake->document);
	intake->document = NULL;
	blob_unref(intake->body);
	intake->body = NULL;
}
