/* The table of styles.  A new style is one file and one row of it. */
#pragma once

#include "style/style.h"

/* All styles in the order in which a request is checked for them; ended by NULL. */
extern const struct style *const style_table[];

/* The style of that name, NULL if there is none.  style_find_name gives its name as a constant for op->style,
 * or NULL. */
const struct style *style_find(const char *name);
const char *style_find_name(const char *name);
