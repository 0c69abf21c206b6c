/* The vocabularies beside references (see schema_refs.h): one a file.  Part of the schema, see schema.h. */
#pragma once

#include "common/schema/engine/node.h"

extern const struct schema_vocabulary schema_values_vocabulary;
extern const struct schema_vocabulary schema_arrays_vocabulary;
extern const struct schema_vocabulary schema_objects_vocabulary;
extern const struct schema_vocabulary schema_logic_vocabulary;
extern const struct schema_vocabulary schema_notes_vocabulary;
extern const struct schema_vocabulary schema_rest_vocabulary;
