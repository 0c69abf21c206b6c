/* Filling in defaults, see schema_fill_defaults().  Part of the schema, see schema.h. */
#pragma once

#include "common/schema/engine/compiler.h"

/* Finds out where defaults are, once the references are resolved; defaults that would fill themselves in
 * without end are a mistake. */
void schema_defaults_prepare(struct schema_compiler *compiler);
