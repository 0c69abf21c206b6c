/*
 * Pages: see pages.h.  A page that is given back leaves a hole in its region, which costs that one its huge
 * page, and is filled again before another region is mapped; a region of which all pages are back is
 * unmapped.
 */
#include "common/pages.h"

#include "common/text.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define PAGES_PER_REGION (HUGE_BYTES / PAGE_BYTES)
#define ALL_FREE UINT32_MAX

/* With fewer regions than this, huge pages would be more memory than what is kept in them is worth. */
#define REGIONS_BEFORE_HUGE 8

struct region {
	struct list link; /* in the pages' partial; on no list while no page is free */
	struct pages *pages;
	char *memory;
	uint32_t free; /* a set bit: that page has not been taken */
};

_Static_assert(PAGES_PER_REGION == 32, "a bit a page");

void
pages_init(struct pages *pages, struct pool *pool)
{
	list_init(&pages->partial);
	pages->region_count = 0;
	huge_spare_init(&pages->next, pool);
}

void
pages_fini(struct pages *pages)
{
	assert(pages->region_count == 0);
	huge_spare_fini(&pages->next);
}

static char *
map_region(struct pages *pages)
{
	if (pages->region_count < REGIONS_BEFORE_HUGE)
		return huge_map_small(HUGE_BYTES);
	char *ready = huge_spare_take(&pages->next, HUGE_BYTES);
	return ready ? ready : huge_map(HUGE_BYTES);
}

static struct region *
region_new(struct pages *pages)
{
	struct region *region = xcalloc(1, sizeof *region);

	region->pages = pages;
	region->memory = map_region(pages);
	region->free = ALL_FREE;
	list_add_head(&pages->partial, &region->link);
	pages->region_count++;
	if (pages->region_count >= REGIONS_BEFORE_HUGE)
		(void)huge_spare_ask(&pages->next, HUGE_BYTES);
	return region;
}

static void
region_free(struct region *region)
{
	struct pages *pages = region->pages;

	list_remove(&region->link);
	pages->region_count--;
	if (pages->region_count < REGIONS_BEFORE_HUGE)
		huge_spare_drop(&pages->next);
	munmap(region->memory, HUGE_BYTES);
	free(region);
}

void *
pages_take(struct pages *pages, struct region **ret_region)
{
	struct region *region = list_is_empty(&pages->partial)
					? region_new(pages)
					: container_of(pages->partial.next, struct region, link);
	int at = __builtin_ctz(region->free);

	region->free &= region->free - 1;
	if (region->free == 0)
		list_remove(&region->link);
	*ret_region = region;
	return region->memory + (size_t)at * PAGE_BYTES;
}

void
pages_give(struct region *region, void *page)
{
	size_t at = (size_t)((char *)page - region->memory) / PAGE_BYTES;

	assert(at < PAGES_PER_REGION && !(region->free & UINT32_C(1) << at));
	if (region->free == 0)
		list_add_tail(&region->pages->partial, &region->link);
	region->free |= UINT32_C(1) << at;
	if (region->free == ALL_FREE)
		region_free(region);
	else
		madvise(page, PAGE_BYTES, MADV_DONTNEED);
}
