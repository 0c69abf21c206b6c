/* Allocations that abort when memory is out, so that callers need no error path for it.  Any thread. */
#pragma once

#include <stddef.h>

/* Returns count * size zeroed bytes, to be given to free(3); never NULL. */
void *xcalloc(size_t count, size_t size);

/* Return a new string, to be given to free(3).  xstrdup of NULL is NULL. */
char *xstrdup(const char *string);
char *xstrndup(const char *data, size_t len);
