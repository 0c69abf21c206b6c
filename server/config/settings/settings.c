/* Reader of settings by table: reads, frees and describes the rows. */
#include "config/settings/kinds.h"

#include "common/json/json.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The most unknown members of one object that are reported one by one. */
#define UNKNOWN_MAX 100

/* The setting whose name is most like name, NULL if none is. */
static const char *
nearest(const struct setting_table *table, const char *name)
{
	const char *names[SETTINGS_ROWS_MAX + 1] = {NULL};
	size_t count = 0;

	for (const struct setting *row = table->rows; row->name; row++) {
		assert(count < SETTINGS_ROWS_MAX);
		names[count++] = row->name;
	}
	return text_nearest(name, names);
}

static bool
is_known(const struct setting_table *table, const char *name)
{
	for (const struct setting *row = table->rows; row->name; row++)
		if (strcmp(row->name, name) == 0)
			return true;
	return false;
}

bool
settings_has(const struct setting_table *table, struct json_object *value, const char *name)
{
	size_t unknown = 0;

	if (json_object_object_get_ex(value, name, NULL))
		return true;
	json_object_object_foreach(value, member, unused)
	{
		(void)unused;
		if (is_known(table, member))
			continue;
		if (++unknown > UNKNOWN_MAX)
			break;
		const char *meant = nearest(table, member);
		if (meant && strcmp(meant, name) == 0)
			return true;
	}
	return false;
}

static void
report_unknown(struct settings *settings, const struct setting_table *table, const char *name)
{
	size_t mark = mistakes_enter(&settings->mistakes, name);
	const char *meant = nearest(table, name);

	if (meant)
		mistakes_add(&settings->mistakes, "unknown member (did you mean \"%s\"?)", meant);
	else
		mistakes_add(&settings->mistakes, "unknown member");
	mistakes_leave(&settings->mistakes, mark);
}

static void
check_members(struct settings *settings, const struct setting_table *table, struct json_object *value)
{
	size_t unknown = 0;

	json_object_object_foreach(value, name, unused)
	{
		(void)unused;
		if (!is_known(table, name) && ++unknown <= UNKNOWN_MAX)
			report_unknown(settings, table, name);
	}
	if (unknown > UNKNOWN_MAX)
		mistakes_add(&settings->mistakes, "%zu more unknown members", unknown - UNKNOWN_MAX);
}

static void
read_fallback(struct settings *settings, const struct setting *row, void *owner)
{
	size_t count = settings->mistakes.count;
	struct json_mistake mistake;
	struct json_object *value;

	int error = json_parse(row->fallback, strlen(row->fallback), &value, &mistake);
	assert(error == 0);
	setting_kinds[row->kind].read(settings, row, value, owner);
	assert(settings->mistakes.count == count);
	json_object_put(value);
}

static void
read_row(struct settings *settings, const struct setting_table *table, const struct setting *row,
	struct json_object *object, void *owner)
{
	struct json_object *value;
	size_t mark = mistakes_enter(&settings->mistakes, row->name);

	if (json_object_object_get_ex(object, row->name, &value))
		setting_kinds[row->kind].read(settings, row, value, owner);
	else if (row->fallback)
		read_fallback(settings, row, owner);
	else if (row->is_required && !settings_has(table, object, row->name))
		mistakes_add(&settings->mistakes, "is missing");
	mistakes_leave(&settings->mistakes, mark);
}

void
settings_read(
	struct settings *settings, const struct setting_table *table, struct json_object *value, void *owner)
{
	if (!json_object_is_type(value, json_type_object)) {
		mistakes_add_value(&settings->mistakes, value, "is not an object");
		return;
	}
	check_members(settings, table, value);
	for (const struct setting *row = table->rows; row->name; row++)
		read_row(settings, table, row, value, owner);
	if (table->finish)
		table->finish(settings, value, owner);
}

void
settings_free(const struct setting_table *table, void *owner)
{
	for (const struct setting *row = table->rows; row->name; row++)
		if (setting_kinds[row->kind].free)
			setting_kinds[row->kind].free(row, owner);
}

const char *
settings_string(struct settings *settings, struct json_object *value, bool may_be_empty)
{
	if (!json_object_is_type(value, json_type_string)) {
		mistakes_add_value(&settings->mistakes, value, "is not a string");
		return NULL;
	}
	const char *string = json_object_get_string(value);
	size_t len = (size_t)json_object_get_string_len(value);
	if (len > SETTINGS_STRING_MAX)
		mistakes_add_value(
			&settings->mistakes, value, "is longer than %d bytes", SETTINGS_STRING_MAX);
	else if (strlen(string) != len)
		mistakes_add_value(&settings->mistakes, value, "has a NUL in it");
	else if (len == 0 && !may_be_empty)
		mistakes_add_value(&settings->mistakes, value, "is empty");
	else
		return string;
	return NULL;
}

static void
describe_type(const struct setting *row, const void *context, struct text *ret_text)
{
	const struct setting_kind_type *kind = &setting_kinds[row->kind];

	if (row->add_type)
		row->add_type(ret_text, context);
	else
		text_add_string(ret_text, row->type ? row->type : kind->type);
	if (row->choices) {
		text_add_char(ret_text, ' ');
		setting_add_choices(ret_text, row);
	}
	if (kind->add_bound) {
		text_add_string(ret_text, ", ");
		kind->add_bound(ret_text, row->min);
		text_add_string(ret_text, " to ");
		kind->add_bound(ret_text, row->max);
	}
	if (row->is_required)
		text_add_string(ret_text, "; required");
	else if (row->fallback || row->fallback_note)
		text_addf(ret_text, "; default: %s", row->fallback ? row->fallback : row->fallback_note);
}

void
settings_describe(
	const struct setting_table *table, const char *prefix, const void *context, struct text *ret_text)
{
	for (const struct setting *row = table->rows; row->name; row++) {
		text_addf(ret_text, "%s%s\n    ", prefix, row->name);
		describe_type(row, context, ret_text);
		text_addf(ret_text, "\n    %s\n", row->meaning);
		if (!row->members)
			continue;
		char *inner = xasprintf("%s%s%s.", prefix, row->name, row->is_list ? "[]" : "");
		settings_describe(row->members, inner, context, ret_text);
		free(inner);
	}
}
