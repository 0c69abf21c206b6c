/* The canonical text of a JSON value: equal for values that are equal in JSON Schema's sense. */
#pragma once

#include "common/text.h"

struct json_object;

/* Adds the text of value (NULL is JSON's null).  Numbers are compared by their values (7 is 7.0, and 0 is -0), objects
 * without regard to the order of their members. Any thread. */
void json_add_canonical(struct text *text, struct json_object *value);
