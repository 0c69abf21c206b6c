/* The corpus of the wire guard's fuzzer: see guard_corpus.h. */
#include "tests/unit/guard_corpus.h"

#include "common/text.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#define GUARD_CORPUS "tests/fuzz/corpus/guard"

const struct guard_limits guard_corpus_limits = {
	.max_target_bytes = 2048,
	.max_line_bytes = 2048,
	.max_header_bytes = 8192,
	.max_header_count = 64,
	.max_chunk_ext_bytes = 256,
	.max_body_bytes = 16384,
};

static void
read_file(const char *path, struct text *text)
{
	FILE *file = fopen(path, "rb");
	size_t got = 1;

	if (!file)
		fail_msg("cannot read %s", path);
	while (got > 0) {
		got = fread(text_reserve(text, 4096), 1, 4096, file);
		text->len += got;
	}
	fclose(file);
}

static int
is_shown(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

void
guard_corpus_each(void (*fn)(void *arg, const char *name, const char *wire, size_t len), void *arg)
{
	struct dirent **entries;
	int entry_count = scandir(GUARD_CORPUS, &entries, is_shown, alphasort);

	if (entry_count <= 0)
		fail_msg("there is no corpus in %s", GUARD_CORPUS);
	for (int i = 0; i < entry_count; i++) {
		struct text wire = {0};
		char *path = xasprintf("%s/%s", GUARD_CORPUS, entries[i]->d_name);

		read_file(path, &wire);
		if (wire.len > 0)
			fn(arg, entries[i]->d_name, wire.data, wire.len);
		text_fini(&wire);
		free(path);
		free(entries[i]);
	}
	free(entries);
}
