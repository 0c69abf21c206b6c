/* Canonical text of JSON values.  As deep as value is, which json_parse bounds. */
#include "common/json/canonical.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

/* The bounds of the numbers that 64 bits hold, with and without a sign. */
#define INT64_LOW (-0x1p63)
#define UINT64_BEYOND 0x1p64

static int
compare(const void *one, const void *other)
{
	return strcmp(*(const char *const *)one, *(const char *const *)other);
}

static void
add_object(struct text *text, struct json_object *object)
{
	size_t count = (size_t)json_object_object_length(object), i = 0;
	const char **names = xcalloc(count + 1, sizeof *names);

	json_object_object_foreach(object, member, ignored)
	{
		(void)ignored;
		names[i++] = member;
	}
	qsort(names, count, sizeof *names, compare);
	text_add_char(text, '{');
	for (i = 0; i < count; i++) {
		if (i > 0)
			text_add_char(text, ',');
		text_add_json(text, names[i]);
		text_add_char(text, ':');
		json_add_canonical(text, json_object_object_get(object, names[i]));
	}
	text_add_char(text, '}');
	free(names);
}

static void
add_array(struct text *text, struct json_object *array)
{
	text_add_char(text, '[');
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		if (i > 0)
			text_add_char(text, ',');
		json_add_canonical(text, json_object_array_get_idx(array, i));
	}
	text_add_char(text, ']');
}

/* A whole number gets the text that it has as an integer. */
static void
add_double(struct text *text, double value)
{
	if (value >= 0 && value < UINT64_BEYOND && (double)(uint64_t)value == value)
		text_addf(text, "%llu", (unsigned long long)value);
	else if (value < 0 && value >= INT64_LOW && (double)(int64_t)value == value)
		text_addf(text, "%lld", (long long)value);
	else
		text_addf(text, "%.17g", value);
}

void
json_add_canonical(struct text *text, struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_object:
		add_object(text, value);
		break;
	case json_type_array:
		add_array(text, value);
		break;
	case json_type_double:
		add_double(text, json_object_get_double(value));
		break;
	default:
		text_add_string(text, json_object_to_json_string_ext(value,
					      JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	}
}
