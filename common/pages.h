/*
 * Pages: pieces of PAGE_BYTES, each aligned to its own size, cut out of regions of 2 MiB.  Once there are
 * many of them the kernel is asked for huge pages, so that reading any one of a million objects does not cost
 * a walk through page tables as well; while there are few, a page costs no more than itself.  What is given
 * back goes back to the kernel.  One thread.
 */
#pragma once

#include "common/huge.h"
#include "common/list.h"

#include <stddef.h>

#define PAGE_BYTES ((size_t)64 * 1024)

struct region;

/* Where pages come from. */
struct pages {
	struct list partial; /* struct region, those that have a page left */
	size_t region_count;
	struct huge_spare next; /* region's memory */
};

/* pool: see huge.h. */
void pages_init(struct pages *pages, struct pool *pool);
void pages_fini(struct pages *pages); /* every page has been given back */

/* A page of PAGE_BYTES, whatever is in it, and the region to give it back to; aborts when memory is out. */
void *pages_take(struct pages *pages, struct region **ret_region);
void pages_give(struct region *region, void *page);
