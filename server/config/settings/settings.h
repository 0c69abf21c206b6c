/*
 * Settings by table: one row per setting with its name, kind, place in a struct, default, bounds and meaning.  One
 * table serves to read the settings from JSON, to report every mistake, to free the values, and to describe the
 * settings to the operator.  Knows nothing of deferd.  Any thread.
 */
#pragma once

#include "common/text.h"
#include "config/settings/mistakes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

/* The longest string of a setting in bytes, and the most rows of a table. */
#define SETTINGS_STRING_MAX (64 * 1024)
#define SETTINGS_ROWS_MAX 40

/* One reading of a configuration. */
struct settings {
	struct mistakes mistakes;
	char *directory;     /* absolute; file names in settings are relative to it */
	const void *context; /* for the functions of SETTING_OWN rows */
};

enum setting_kind {
	SETTING_STRING,	 /* char *, made by convert if that is set */
	SETTING_WHOLE,	 /* a whole number from min to max */
	SETTING_TIME,	 /* "30s"; kept in milliseconds, like min and max */
	SETTING_SIZE,	 /* "64KiB", or a number of bytes; kept in bytes, like min and max */
	SETTING_BOOLEAN, /* bool */
	SETTING_CHOICE,	 /* int: one of choices */
	SETTING_NAMES,	 /* char **, ended by NULL: min to max strings, each made by convert if that is set */
	SETTING_OBJECT,	 /* an object whose members are settings in the struct at offset */
	SETTING_OWN,	 /* read by the row's function read */
	SETTING_KINDS,
};

struct setting_choice {
	const char *json; /* the value as JSON: "\"sync\""; NULL ends the list */
	int value;
};

struct setting {
	const char *name; /* NULL ends the table */
	enum setting_kind kind;
	size_t offset; /* of the value in the owner, the struct that the table describes */
	size_t size;   /* of the value, for numbers, booleans and choices */
	bool is_required;
	bool may_be_empty; /* strings: "" is allowed */
	bool may_repeat;   /* names: two may be equal */
	bool is_list;	   /* SETTING_OWN: members describes the elements of a list */

	/* The default: JSON that is read if the setting is absent; or only words for the description ("the
	 * server's") if the owner sets the value itself.  Both NULL: no default; the value stays as it is. */
	const char *fallback;
	const char *fallback_note;

	uint64_t min, max;
	const struct setting_choice *choices;

	/* SETTING_OBJECT: its members.  SETTING_OWN: only for the description; may be NULL. */
	const struct setting_table *members;

	/* Returns the value to keep for a string (malloc'ed), or reports a mistake and returns NULL. */
	char *(*convert)(struct settings *settings, const char *string);

	/* SETTING_OWN: read stores value in the owner; free frees it and leaves the owner empty; NULL:
	 * nothing to free. */
	void (*read)(struct settings *settings, struct json_object *value, void *owner);
	void (*free)(void *owner);

	const char *type; /* in words; NULL: the kind's, or that of add_type */
	void (*add_type)(struct text *text, const void *context); /* adds the words; NULL: type has them */
	const char *meaning;
};

struct setting_table {
	const struct setting *rows;

	/* Called after all rows were read, even after mistakes, to check the settings together.  May be
	 * NULL. */
	void (*finish)(struct settings *settings, struct json_object *value, void *owner);
};

/* Initializes kind, offset and size of a row. */
#define SETTING_PLACE(kind_, type, member) \
	.kind = (kind_), .offset = offsetof(type, member), .size = sizeof(((type *)NULL)->member)

/*
 * Reads the members of value into owner.  owner must be all zero, except for the defaults of settings with
 * fallback_note.  Reports mistakes at the pointer; a setting with a mistake stays as it was.
 */
void settings_read(
	struct settings *settings, const struct setting_table *table, struct json_object *value, void *owner);

/* Whether value has the member name, or an unknown member that is probably a misspelling of it.  The absence is
 * then no second mistake. */
bool settings_has(const struct setting_table *table, struct json_object *value, const char *name);

/* Returns the string of value (lent).  Reports a mistake and returns NULL if it is not a string, is too long, has
 * a NUL, or is empty although it may not be. */
const char *settings_string(struct settings *settings, struct json_object *value, bool may_be_empty);

/* Frees the values that settings_read() stored in owner, and leaves them empty. */
void settings_free(const struct setting_table *table, void *owner);

/* Adds three lines per setting: its name after prefix ("routes[].program.argv"), its type and default, its
 * meaning.  context is that of struct settings. */
void settings_describe(
	const struct setting_table *table, const char *prefix, const void *context, struct text *ret_text);
