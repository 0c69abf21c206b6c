/*
 * Slabs: many objects of one size, close together and without a header each, so that very many of them that
 * are kept for long neither cost more than they hold nor leave holes between short-lived memory.  A page that
 * is empty is given back, but for one that stays where no other has room.  One thread.
 */
#pragma once

#include "common/list.h"

#include <stddef.h>

struct pages;

struct slab {
	size_t size;	     /* of an object */
	struct pages *pages; /* where pages come from */
	struct list partial; /* pages that have room */
	size_t page_count;
};

/* Slabs may share pages, which must outlive them. */
void slab_init(struct slab *slab, struct pages *pages, size_t size);
void slab_fini(struct slab *slab); /* every object has been given back */

/* An object, all zero; aborts when memory is out. */
void *slab_take(struct slab *slab);
void slab_give(void *object);
