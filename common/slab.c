/*
 * Slabs: see slab.h.  A page is aligned to its own size, so that an object's address tells where its page
 * begins.  Where the address sanitizer looks on, every object is an allocation of its own, else it would see
 * no use after the end.
 */
#include "common/slab.h"

#include "common/pages.h"
#include "common/text.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 8

/* What a page begins with. */
struct page {
	struct list link; /* in the slab's partial; on no list while it is full */
	struct slab *slab;
	struct region *region; /* that it is given back to */
	unsigned used;
	unsigned fresh; /* objects behind this number have never been taken */
	void *given;	/* objects that were given back: each begins with the next */
};

#if defined(__SANITIZE_ADDRESS__)
#define SEPARATE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SEPARATE 1
#endif
#endif
#ifndef SEPARATE
#define SEPARATE 0
#endif

void
slab_init(struct slab *slab, struct pages *pages, size_t size)
{
	slab->size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	slab->pages = pages;
	slab->page_count = 0;
	list_init(&slab->partial);
	assert(size >= sizeof(void *) && size < PAGE_BYTES / 2);
}

static unsigned
objects_per_page(const struct slab *slab)
{
	return (unsigned)((PAGE_BYTES - sizeof(struct page)) / slab->size);
}

static struct page *
page_new(struct slab *slab)
{
	struct region *region;
	struct page *page = pages_take(slab->pages, &region);

	*page = (struct page){.slab = slab, .region = region};
	list_init(&page->link);
	list_add_head(&slab->partial, &page->link);
	slab->page_count++;
	return page;
}

static void
page_free(struct page *page)
{
	list_remove(&page->link);
	page->slab->page_count--;
	pages_give(page->region, page);
}

/* Whether no other page has room: then an empty one stays, else few objects that come and go would map it
 * again and again. */
static bool
is_alone(const struct slab *slab, const struct page *page)
{
	return slab->partial.next == &page->link && slab->partial.prev == &page->link;
}

void *
slab_take(struct slab *slab)
{
	if (SEPARATE)
		return xcalloc(1, slab->size);
	struct page *page = list_is_empty(&slab->partial)
				    ? page_new(slab)
				    : container_of(slab->partial.next, struct page, link);
	void *object = page->given;
	if (object)
		memcpy(&page->given, object, sizeof page->given);
	else
		object = (char *)(page + 1) + page->fresh++ * slab->size;
	if (++page->used == objects_per_page(slab))
		list_remove(&page->link);
	return memset(object, 0, slab->size);
}

void
slab_give(void *object)
{
	if (SEPARATE) {
		free(object);
		return;
	}
	struct page *page = (struct page *)((uintptr_t)object & ~(uintptr_t)(PAGE_BYTES - 1));
	struct slab *slab = page->slab;
	assert(page->used > 0);
	if (page->used == objects_per_page(slab))
		list_add_head(&slab->partial, &page->link);
	memcpy(object, &page->given, sizeof page->given);
	page->given = object;
	if (--page->used > 0 || is_alone(slab, page))
		return;
	page_free(page);
}

void
slab_fini(struct slab *slab)
{
	if (!list_is_empty(&slab->partial)) {
		struct page *page = container_of(slab->partial.next, struct page, link);
		assert(page->used == 0);
		page_free(page);
	}
	assert(slab->page_count == 0);
	slab->size = 0;
}
