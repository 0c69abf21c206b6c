/*
 * Replays a corpus: gives every file of the directories named to the fuzz target it is linked with, in the
 * order of their names.  Says in TAP what it does; a target that finds fault ends the process.
 */
#include "common/cleanup.h"
#include "common/text.h"

#include <dirent.h>
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned replayed;

static int
is_shown(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void
read_file(const char *path, struct text *ret_bytes)
{
	FILE *file = fopen(path, "rb");
	size_t got;

	if (!file)
		err(EXIT_FAILURE, "%s", path);
	do {
		got = fread(text_reserve(ret_bytes, 4096), 1, 4096, file);
		ret_bytes->len += got;
	} while (got > 0);
	if (ferror(file))
		err(EXIT_FAILURE, "%s", path);
	fclose(file);
}

/* The target gets a copy of just that size, so that a sanitizer sees a read beyond its end. */
static void
replay(const char *directory, const char *name)
{
	CLEANUP(text_fini) struct text bytes = {0};
	CLEANUP_FREE char *path = xasprintf("%s/%s", directory, name);

	read_file(path, &bytes);
	CLEANUP_FREE uint8_t *input = malloc(bytes.len);
	if (!input && bytes.len > 0)
		err(EXIT_FAILURE, "%s", path);
	if (bytes.len > 0)
		memcpy(input, bytes.data, bytes.len);
	printf("# %s\n", path);
	fflush(stdout);
	LLVMFuzzerTestOneInput(input, bytes.len);
	printf("ok %u - %s\n", ++replayed, name);
}

static void
replay_directory(const char *directory)
{
	struct dirent **entries;
	int count = scandir(directory, &entries, is_shown, alphasort);

	if (count < 0)
		err(EXIT_FAILURE, "%s", directory);
	for (int i = 0; i < count; i++) {
		replay(directory, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		replay_directory(argv[i]);
	printf("1..%u\n", replayed);
	if (replayed == 0)
		errx(EXIT_FAILURE, "there is nothing to replay");
	return EXIT_SUCCESS;
}
