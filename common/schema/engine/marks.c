/* Marks: which members and items of a value have been evaluated. */
#include "common/schema/engine/marks.h"

#include "common/text.h"

#include <stdlib.h>
#include <string.h>

void
schema_marks_init(struct schema_marks *marks, size_t count)
{
	marks->count = count;
	marks->word = 0;
	marks->words = count <= 64 ? &marks->word : xcalloc((count + 63) / 64, sizeof *marks->words);
}

void
schema_marks_fini(struct schema_marks *marks)
{
	if (marks->words != &marks->word)
		free(marks->words);
}

void
schema_marks_set(struct schema_marks *marks, size_t at)
{
	if (marks)
		marks->words[at / 64] |= UINT64_C(1) << at % 64;
}

void
schema_marks_set_all(struct schema_marks *marks)
{
	if (marks)
		memset(marks->words, 0xff, (marks->count + 63) / 64 * sizeof *marks->words);
}

void
schema_marks_merge(struct schema_marks *marks, const struct schema_marks *from)
{
	if (!marks)
		return;
	for (size_t i = 0; i < (marks->count + 63) / 64; i++)
		marks->words[i] |= from->words[i];
}

bool
schema_marks_has(const struct schema_marks *marks, size_t at)
{
	return marks->words[at / 64] >> at % 64 & 1;
}
