/* Scope-bound release of what a function holds: descriptors, heap memory, JSON values. */
#pragma once

#include <stdlib.h>
#include <unistd.h>

/* Calls fn(&variable) when the variable goes out of scope. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))

static inline void
cleanup_free(void *pointer)
{
	free(*(void **)pointer);
}

static inline void
cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#define CLEANUP_FREE CLEANUP(cleanup_free)
#define CLEANUP_CLOSE CLEANUP(cleanup_close)
