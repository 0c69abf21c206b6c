/* Reader of a packed corpus: tests/fuzz/corpus/NAME.seeds, as tests/fuzz/seeds.py writes it. */
#pragma once

#include <stddef.h>

/* Calls fn with the name and the bytes (lent) of each seed, in the order of the file.  Returns how many there
 * are.  -EIO: the file cannot be read.  -EINVAL: it is damaged; fn was called for the seeds before that. */
int seeds_each(
	const char *path, void (*fn)(void *arg, const char *name, const char *data, size_t len), void *arg);
