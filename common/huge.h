/*
 * Memory in huge pages, for what is large and read in no order.  The kernel clears such a page when it is
 * first touched, and where memory comes from a hypervisor that takes milliseconds: so a spare, the memory
 * that will be wanted next, is touched by a thread ahead of whoever will want it.  One thread, but for that.
 */
#pragma once

#include "common/pool.h"

#include <stdbool.h>
#include <stddef.h>

/* What huge pages want large memory to be aligned to. */
#define HUGE_BYTES ((size_t)2 * 1024 * 1024)

/* Zeroed memory aligned to HUGE_BYTES, which munmap(2) takes back; aborts when there are no addresses left.
 * bytes: a multiple of HUGE_BYTES.  huge_map: in huge pages where the kernel has some.  Any thread. */
void *huge_map(size_t bytes);
void *huge_map_small(size_t bytes);

struct huge_spare {
	struct pool *pool; /* NULL: nothing is made ready */
	size_t wanted;	   /* bytes of what was asked for and has not been taken; 0: nothing was */
	char *ready;	   /* wanted bytes; NULL: they are not ready */
	bool making;	   /* the job is on its way */

	/* the thread's while making */
	struct pool_job job;
	size_t bytes;
	char *memory;
};

/* Touches on a thread of pool, until spare->pool is made NULL, which must be before that is freed; NULL:
 * never. */
void huge_spare_init(struct huge_spare *spare, struct pool *pool);
void huge_spare_fini(struct huge_spare *spare); /* its job, if there was one, has been completed */

/* Asks for so many bytes, a multiple of HUGE_BYTES, instead of what was asked for before.  Whether they are
 * ready or going to be. */
bool huge_spare_ask(struct huge_spare *spare, size_t bytes);

/* Gives the caller what was asked for, as huge_map() would; NULL: that, or so many bytes, is not ready. */
void *huge_spare_take(struct huge_spare *spare, size_t bytes);

/* Nothing is wanted any more. */
void huge_spare_drop(struct huge_spare *spare);
