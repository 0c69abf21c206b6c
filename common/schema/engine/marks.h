/* The parts of a value that were evaluated, for the unevaluated keywords.  Part of the schema, see schema.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which of an object's members (in their order) or an array's items were evaluated (Core, 11). */
struct schema_marks {
	size_t count;
	uint64_t *words;
	uint64_t word; /* what words points at, up to 64 */
};

void schema_marks_init(struct schema_marks *marks, size_t count);
void schema_marks_fini(struct schema_marks *marks);

/* marks may be NULL in these: then nothing happens. */
void schema_marks_set(struct schema_marks *marks, size_t at);
void schema_marks_set_all(struct schema_marks *marks);
void schema_marks_merge(struct schema_marks *marks, const struct schema_marks *from);

bool schema_marks_has(const struct schema_marks *marks, size_t at);
