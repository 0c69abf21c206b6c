/*
 * Replays a packed corpus: gives each of its seeds to the fuzz target it is linked with.  In TAP the corpus is
 * one test.  A target that finds fault ends the process; the last line then names the seed.
 */
#include "common/cleanup.h"
#include "tests/fuzz/seeds.h"

#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The target gets a copy of just that size, so that a sanitizer sees a read beyond its end. */
static void
replay(void *arg, const char *name, const char *data, size_t len)
{
	unsigned *number = arg;
	CLEANUP_FREE uint8_t *input = malloc(len);

	if (!input && len > 0)
		err(EXIT_FAILURE, "seed %s", name);
	if (len > 0)
		memcpy(input, data, len);
	printf("# seed %u, %s\n", ++*number, name);
	fflush(stdout);
	LLVMFuzzerTestOneInput(input, len);
}

int
main(int argc, char **argv)
{
	unsigned number = 0;

	if (argc != 2)
		errx(EXIT_FAILURE, "usage: %s FILE", argv[0]);
	int count = seeds_each(argv[1], replay, &number);
	if (count < 0)
		errx(EXIT_FAILURE, "%s: %s after seed %u", argv[1], strerror(-count), number);
	if (count == 0)
		errx(EXIT_FAILURE, "%s: there is nothing to replay", argv[1]);
	printf("ok 1 - %d seeds\n1..1\n", count);
	return EXIT_SUCCESS;
}
