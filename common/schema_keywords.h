/* All keywords that are known.  Part of the schema, see schema.h. */
#pragma once

#include "common/schema_node.h"

/* In the order in which the keywords of a node are compiled and judged; ended by NULL. */
extern const struct schema_vocabulary *const schema_vocabularies[];

extern const struct schema_vocabulary schema_values_vocabulary;
extern const struct schema_vocabulary schema_arrays_vocabulary;
extern const struct schema_vocabulary schema_objects_vocabulary;
extern const struct schema_vocabulary schema_logic_vocabulary;
extern const struct schema_vocabulary schema_notes_vocabulary;
extern const struct schema_vocabulary schema_rest_vocabulary;
