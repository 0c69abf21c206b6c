/* Private to settings.c and setting_kinds.c: how a row of each kind is read, freed and described. */
#pragma once

#include "config/settings/settings.h"

struct setting_kind_type {
	const char *type; /* in words */

	/* Stores value in the row's place in owner, or reports a mistake. */
	void (*read)(
		struct settings *settings, const struct setting *row, struct json_object *value, void *owner);

	void (*free)(const struct setting *row, void *owner); /* NULL: nothing to free */
	void (*add_bound)(struct text *text, uint64_t bound); /* NULL: bounds are not described */
};

extern const struct setting_kind_type setting_kinds[SETTING_KINDS];

/* Adds the choices of a row as a list: `"sync", "status"`. */
void setting_add_choices(struct text *text, const struct setting *row);
