/*
 * Memory for libcurl, which takes and gives back the same few dozen pieces for every exchange: what a thread
 * gives back is kept for what it takes next of that size, up to a bound.
 *
 * Any thread; what one has taken another may give back.
 */
#pragma once

#include <stddef.h>

/* As malloc, calloc, realloc, strdup and free are, for memory of these alone. */
void *transfer_memory_take(size_t size);
void *transfer_memory_take_zeroed(size_t count, size_t size);
void *transfer_memory_resize(void *memory, size_t size);
char *transfer_memory_dup(const char *string);
void transfer_memory_give(void *memory);

/* Gives up what the calling thread has kept; the end of a thread does so, too. */
void transfer_memory_forget(void);
