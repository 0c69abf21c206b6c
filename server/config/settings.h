/*
 * Settings by table: a row per setting says its name, kind, place in a struct, default, bounds and meaning.
 * The same table reads the settings from JSON, tells every mistake in them, frees what was read, and
 * describes itself to the operator.
 */
#pragma once

#include "common/text.h"
#include "config/mistakes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

/* The longest string that a setting may be, in bytes, and the most settings of one table. */
#define SETTINGS_STRING_MAX (64 * 1024)
#define SETTINGS_ROWS_MAX 40

/* One reading of a configuration. */
struct settings {
	struct mistakes mistakes;
	char *directory; /* absolute: file names are relative to it */
};

enum setting_kind {
	SETTING_STRING,	 /* char *: through convert, if there is one */
	SETTING_WHOLE,	 /* a whole number from min to max */
	SETTING_TIME,	 /* "30s"; in milliseconds, as min and max */
	SETTING_SIZE,	 /* "64KiB", or bytes as a number; in bytes, as min and max */
	SETTING_BOOLEAN, /* bool */
	SETTING_CHOICE,	 /* int: one of choices */
	SETTING_NAMES,	 /* char **, ended by NULL: min to max strings, each through convert */
	SETTING_OBJECT,	 /* members of its own, in the struct at offset */
	SETTING_OWN,	 /* whatever read makes of it */
	SETTING_KINDS,
};

struct setting_choice {
	const char *json; /* as it stands in the configuration: "\"sync\""; NULL ends the list */
	int value;
};

struct setting {
	const char *name; /* NULL ends the table */
	enum setting_kind kind;
	size_t offset; /* of the place in the owner: the struct that the table is for */
	size_t size;   /* of that place, for numbers, booleans and choices */
	bool is_required;
	bool may_be_empty; /* strings: "" is allowed */
	bool may_repeat;   /* names: two may be equal */
	bool is_list;	   /* SETTING_OWN: a list of what members describe */

	/* What it is where it does not stand: JSON that is then read, or words where the owner knows better
	 * ("the server's"). Both NULL: none, and the place is left alone. */
	const char *fallback;
	const char *fallback_note;

	uint64_t min, max;
	const struct setting_choice *choices;

	/* SETTING_OBJECT: its members; SETTING_OWN: for the description, may be NULL. */
	const struct setting_table *members;

	/* Makes what is kept (malloc'ed) of a string.  NULL once it has told why it is a mistake. */
	char *(*convert)(struct settings *settings, const char *string);

	/* SETTING_OWN: reads value into the owner, and frees what it has put there (and leaves it empty). */
	void (*read)(struct settings *settings, struct json_object *value, void *owner);
	void (*free)(void *owner);

	const char *type; /* in words; NULL: the kind says enough */
	const char *meaning;
};

struct setting_table {
	const struct setting *rows;

	/* Called after the rows were read, whatever mistakes there were, for what they say together.  May
	 * be NULL. */
	void (*finish)(struct settings *settings, struct json_object *value, void *owner);
};

/* kind, offset and size of a row in one. */
#define SETTING_PLACE(kind_, type, member) \
	.kind = (kind_), .offset = offsetof(type, member), .size = sizeof(((type *)NULL)->member)

/*
 * Reads the members of value into owner, which is all zero, or holds what a setting with fallback_note is
 * to be.  Mistakes are told where the pointer is; a setting that has one keeps its place as it was.
 */
void settings_read(
	struct settings *settings, const struct setting_table *table, struct json_object *value, void *owner);

/* Whether value has the member name, or an unknown one that most likely means it: then its absence is no
 * mistake of its own. */
bool settings_has(const struct setting_table *table, struct json_object *value, const char *name);

/* The string of a value, NULL once it has been told why it is none (or empty, too long, with a NUL in it). */
const char *settings_string(struct settings *settings, struct json_object *value, bool may_be_empty);

/* Frees what settings_read() put into owner, and leaves these places empty. */
void settings_free(const struct setting_table *table, void *owner);

/* Adds three lines a setting: its name under prefix ("routes[].program.argv"), its type and default, its
 * meaning. */
void settings_describe(const struct setting_table *table, const char *prefix, struct text *ret_text);
