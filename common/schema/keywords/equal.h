/* Equality of JSON values as JSON Schema has it (Core, 4.2.2): 1 is 1.0, members have no order.  See
 * schema.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct json_object;
struct schema_run;

/* Whether a and b are equal; false as well when run has no steps left. */
bool schema_equal(struct schema_run *run, struct json_object *a, struct json_object *b);

/* Looks for two equal items of an array; false if there are none. */
bool schema_equal_find(
	struct schema_run *run, struct json_object *array, size_t *ret_first, size_t *ret_second);
