/*
 * Memory for libcurl: see transfer_memory.h.
 *
 * Each piece has its size before it; sizes are rounded up, so that there are few of them, and a list for
 * each.  Where the address sanitizer looks on, nothing is kept, else it would see no use after the end.
 */
#include "work/transfer_memory.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Sizes are multiples of the one up to a bound, then of the other up to theirs; larger pieces are not
 * kept. */
#define FINE_STEP ((size_t)64)
#define FINE_MAX ((size_t)2048)
#define COARSE_STEP ((size_t)1024)
#define COARSE_MAX ((size_t)32768)
#define FINE_COUNT (FINE_MAX / FINE_STEP)
#define LIST_COUNT (FINE_COUNT + COARSE_MAX / COARSE_STEP)

/* What a thread keeps at most: what the exchanges that it begins at once give back. */
#define KEPT_BYTES_MAX ((size_t)1024 * 1024)

#if defined(__SANITIZE_ADDRESS__)
#define KEEPS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KEEPS 0
#endif
#endif
#ifndef KEEPS
#define KEEPS 1
#endif

/* What lies before the memory that is handed out. */
struct piece {
	alignas(max_align_t) size_t size; /* with this; as it was rounded */
	struct piece *next;		  /* while it is kept */
};

struct kept {
	struct piece *lists[LIST_COUNT];
	size_t bytes;
	bool is_known; /* the thread's end will free it */
};

static _Thread_local struct kept kept;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key; /* of the threads that have kept something */

static size_t
round_up(size_t size, size_t step)
{
	return (size + step - 1) / step * step;
}

/* The size of a piece for that much, this struct included; 0 if that is too much for any. */
static size_t
piece_size(size_t size)
{
	if (size > SIZE_MAX - sizeof(struct piece) - COARSE_STEP)
		return 0;
	size += sizeof(struct piece);
	return round_up(size, size <= FINE_MAX ? FINE_STEP : COARSE_STEP);
}

/* The list for pieces of that size, NULL if they are not kept. */
static struct piece **
list_of(size_t size)
{
	if (!KEEPS || size > COARSE_MAX)
		return NULL;
	return &kept.lists[size <= FINE_MAX ? size / FINE_STEP - 1 : FINE_COUNT + size / COARSE_STEP - 1];
}

static void
on_thread_end(void *arg)
{
	transfer_memory_forget();
}

static void
make_key(void)
{
	if (pthread_key_create(&key, on_thread_end) != 0)
		abort();
}

/* Has the thread's end free what it keeps. */
static void
make_known(void)
{
	pthread_once(&once, make_key);
	if (pthread_setspecific(key, &kept) != 0)
		abort();
	kept.is_known = true;
}

void *
transfer_memory_take(size_t size)
{
	size_t whole = piece_size(size);
	struct piece **list = list_of(whole);
	struct piece *piece;

	if (whole == 0)
		return NULL;
	if (list && *list) {
		piece = *list;
		*list = piece->next;
		kept.bytes -= whole;
		return piece + 1;
	}
	piece = malloc(whole);
	if (!piece)
		return NULL;
	piece->size = whole;
	return piece + 1;
}

void
transfer_memory_give(void *memory)
{
	if (!memory)
		return;
	struct piece *piece = (struct piece *)memory - 1;
	struct piece **list = list_of(piece->size);
	if (!list || kept.bytes + piece->size > KEPT_BYTES_MAX) {
		free(piece);
		return;
	}
	if (!kept.is_known)
		make_known();
	piece->next = *list;
	*list = piece;
	kept.bytes += piece->size;
}

void *
transfer_memory_take_zeroed(size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	void *memory = transfer_memory_take(bytes);
	return memory ? memset(memory, 0, bytes) : NULL;
}

void *
transfer_memory_resize(void *memory, size_t size)
{
	if (!memory)
		return transfer_memory_take(size);
	size_t whole = ((struct piece *)memory - 1)->size;
	size_t had = whole - sizeof(struct piece);
	if (piece_size(size) == whole)
		return memory;
	void *moved = transfer_memory_take(size);
	if (!moved)
		return NULL;
	memcpy(moved, memory, size < had ? size : had);
	transfer_memory_give(memory);
	return moved;
}

char *
transfer_memory_dup(const char *string)
{
	size_t size = strlen(string) + 1;
	char *copy = transfer_memory_take(size);

	return copy ? memcpy(copy, string, size) : NULL;
}

void
transfer_memory_forget(void)
{
	for (size_t i = 0; i < LIST_COUNT; i++) {
		while (kept.lists[i]) {
			struct piece *piece = kept.lists[i];
			kept.lists[i] = piece->next;
			free(piece);
		}
	}
	kept.bytes = 0;
	kept.is_known = false;
}
