/* The kinds of settings: reads, stores and frees a value of each kind. */
#include "config/settings/kinds.h"

#include "common/json/json.h"
#include "config/settings/units.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void *
place_of(const struct setting *row, void *owner)
{
	return (char *)owner + row->offset;
}

static void
store_number(const struct setting *row, void *owner, uint64_t value)
{
	void *place = place_of(row, owner);

	switch (row->size) {
	case sizeof(uint8_t):
		*(uint8_t *)place = (uint8_t)value;
		break;
	case sizeof(uint32_t):
		*(uint32_t *)place = (uint32_t)value;
		break;
	default:
		assert(row->size == sizeof(uint64_t));
		*(uint64_t *)place = value;
	}
}

static void
add_whole(struct text *text, uint64_t bound)
{
	text_addf(text, "%" PRIu64, bound);
}

/* Stores value if error is 0 and the value is within the bounds; otherwise reports a mistake. */
static void
store_bounded(struct settings *settings, const struct setting *row, struct json_object *json, void *owner,
	int error, uint64_t value)
{
	struct text bounds = {0};

	if (error == 0 && value >= row->min && value <= row->max) {
		store_number(row, owner, value);
		return;
	}
	setting_kinds[row->kind].add_bound(&bounds, row->min);
	text_add_string(&bounds, " and ");
	setting_kinds[row->kind].add_bound(&bounds, row->max);
	mistakes_add_value(&settings->mistakes, json, "is not between %s", bounds.data);
	text_fini(&bounds);
}

/* Reads a whole number; 1.0 is one.  Returns 0, -EINVAL if it is none, -ERANGE if it does not fit. */
static int
whole_number(struct json_object *value, uint64_t *ret_number)
{
	if (json_object_is_type(value, json_type_int)) {
		if (json_object_get_int64(value) < 0)
			return -ERANGE;
		*ret_number = json_object_get_uint64(value);
		return 0;
	}
	if (!json_object_is_type(value, json_type_double))
		return -EINVAL;
	double number = json_object_get_double(value);
	if (!(number >= 0 && number < 0x1p63))
		return -ERANGE;
	if ((double)(uint64_t)number != number)
		return -EINVAL;
	*ret_number = (uint64_t)number;
	return 0;
}

static void
read_whole(struct settings *settings, const struct setting *row, struct json_object *value, void *owner)
{
	uint64_t number = 0;
	int error = whole_number(value, &number);

	if (error == -EINVAL)
		mistakes_add_value(&settings->mistakes, value, "is not a whole number");
	else
		store_bounded(settings, row, value, owner, error, number);
}

static void
read_time(struct settings *settings, const struct setting *row, struct json_object *value, void *owner)
{
	uint64_t ms = 0;
	int error = -EINVAL;

	if (json_object_is_type(value, json_type_string))
		error = units_parse_time(
			json_object_get_string(value), (size_t)json_object_get_string_len(value), &ms);
	if (error == -EINVAL)
		mistakes_add_value(
			&settings->mistakes, value, "is not a time such as \"30s\", \"5m\" or \"1h\"");
	else
		store_bounded(settings, row, value, owner, error, ms);
}

static void
read_size(struct settings *settings, const struct setting *row, struct json_object *value, void *owner)
{
	uint64_t bytes = 0;
	int error;

	if (json_object_is_type(value, json_type_string))
		error = units_parse_size(
			json_object_get_string(value), (size_t)json_object_get_string_len(value), &bytes);
	else
		error = whole_number(value, &bytes);
	if (error == -EINVAL)
		mistakes_add_value(
			&settings->mistakes, value, "is not a size such as \"64KiB\" or \"10MiB\"");
	else
		store_bounded(settings, row, value, owner, error, bytes);
}

static void
read_boolean(struct settings *settings, const struct setting *row, struct json_object *value, void *owner)
{
	if (json_object_is_type(value, json_type_boolean))
		store_number(row, owner, (uint64_t)json_object_get_boolean(value));
	else
		mistakes_add_value(&settings->mistakes, value, "is neither true nor false");
}

void
setting_add_choices(struct text *text, const struct setting *row)
{
	for (const struct setting_choice *choice = row->choices; choice->json; choice++)
		text_addf(text, "%s%s", choice == row->choices ? "" : ", ", choice->json);
}

static void
read_choice(struct settings *settings, const struct setting *row, struct json_object *value, void *owner)
{
	const char *json = json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN);
	struct text choices = {0};

	for (const struct setting_choice *choice = row->choices; choice->json; choice++) {
		if (strcmp(choice->json, json) == 0) {
			store_number(row, owner, (uint64_t)choice->value);
			return;
		}
	}
	setting_add_choices(&choices, row);
	mistakes_add_value(&settings->mistakes, value, "is not one of %s", choices.data);
	text_fini(&choices);
}

/* Returns the converted string of value, or reports a mistake and returns NULL. */
static char *
converted(struct settings *settings, const struct setting *row, struct json_object *value)
{
	const char *string = settings_string(settings, value, row->may_be_empty);

	if (!string)
		return NULL;
	return row->convert ? row->convert(settings, string) : xstrdup(string);
}

static void
read_string(struct settings *settings, const struct setting *row, struct json_object *value, void *owner)
{
	char *string = converted(settings, row, value);
	char **place = place_of(row, owner);

	if (!string)
		return;
	free(*place);
	*place = string;
}

static bool
is_among(const char *name, char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* Reads one of names.  Returns "" after a mistake, so that the other names keep their places. */
static char *
read_name(struct settings *settings, const struct setting *row, struct json_object *value, char *const *names,
	size_t index)
{
	size_t mark = mistakes_enter_index(&settings->mistakes, index);
	char *name = converted(settings, row, value);

	if (name && !row->may_repeat && *name && is_among(name, names, index))
		mistakes_add_value(&settings->mistakes, value, "is listed twice");
	mistakes_leave(&settings->mistakes, mark);
	return name ? name : xstrdup("");
}

static void
read_names(struct settings *settings, const struct setting *row, struct json_object *value, void *owner)
{
	char ***place = place_of(row, owner);

	if (!json_object_is_type(value, json_type_array)) {
		mistakes_add_value(&settings->mistakes, value, "is not a list");
		return;
	}
	size_t count = json_object_array_length(value);
	if (count < row->min || count > row->max) {
		mistakes_add(&settings->mistakes, "%zu elements are not between %" PRIu64 " and %" PRIu64,
			count, row->min, row->max);
		return;
	}
	char **names = xcalloc(count + 1, sizeof *names);
	for (size_t i = 0; i < count; i++)
		names[i] = read_name(settings, row, json_object_array_get_idx(value, i), names, i);
	*place = names;
}

static void
read_object(struct settings *settings, const struct setting *row, struct json_object *value, void *owner)
{
	settings_read(settings, row->members, value, place_of(row, owner));
}

static void
read_own(struct settings *settings, const struct setting *row, struct json_object *value, void *owner)
{
	row->read(settings, value, owner);
}

static void
free_string(const struct setting *row, void *owner)
{
	char **place = place_of(row, owner);

	free(*place);
	*place = NULL;
}

static void
free_names(const struct setting *row, void *owner)
{
	char ***place = place_of(row, owner);

	for (char **name = *place; name && *name; name++)
		free(*name);
	free(*place);
	*place = NULL;
}

static void
free_object(const struct setting *row, void *owner)
{
	settings_free(row->members, place_of(row, owner));
}

static void
free_own(const struct setting *row, void *owner)
{
	if (row->free)
		row->free(owner);
}

const struct setting_kind_type setting_kinds[SETTING_KINDS] = {
	[SETTING_STRING] = {"string", read_string, free_string, NULL},
	[SETTING_WHOLE] = {"whole number", read_whole, NULL, add_whole},
	[SETTING_TIME] = {"time", read_time, NULL, units_add_time},
	[SETTING_SIZE] = {"size", read_size, NULL, units_add_size},
	[SETTING_BOOLEAN] = {"true or false", read_boolean, NULL, NULL},
	[SETTING_CHOICE] = {"one of", read_choice, NULL, NULL},
	[SETTING_NAMES] = {"list of strings", read_names, free_names, NULL},
	[SETTING_OBJECT] = {"object", read_object, free_object, NULL},
	[SETTING_OWN] = {"", read_own, free_own, NULL},
};
