/* Allocations that abort when memory is out. */
#include "common/memory.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Up to this size, glibc's malloc reuses memory that the thread has just freed; its calloc does not. */
#define SMALL_BYTES ((size_t)1024)

void *
xcalloc(size_t count, size_t size)
{
	size_t bytes;
	bool is_small = !__builtin_mul_overflow(count, size, &bytes) && bytes <= SMALL_BYTES;
	void *memory = is_small ? malloc(bytes ? bytes : 1) : calloc(count, size);

	if (!memory)
		abort();
	return is_small ? memset(memory, 0, bytes) : memory;
}

char *
xstrndup(const char *data, size_t len)
{
	char *copy = xcalloc(len + 1, 1);

	if (len > 0)
		memcpy(copy, data, len);
	return copy;
}

char *
xstrdup(const char *string)
{
	return string ? xstrndup(string, strlen(string)) : NULL;
}
