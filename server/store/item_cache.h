/*
 * Resources that were read a short while ago, as they were shown, so that reading one again costs no thread
 * and no database.  An entry goes when a change of its resource completes, before anybody is told of the
 * change; and what a read brings that began before such a change is not taken, for nobody knows which side of
 * it was read.
 *
 * Bounded by bytes: what was asked for longest ago goes first.  Loop thread only.
 */
#pragma once

#include "store/resources.h"

struct item_cache;

/* Makes an empty one that takes max_bytes. */
struct item_cache *item_cache_new(size_t max_bytes);

/* The store has one reference, and everything on its way another: its completion may come when the store is
 * closed. */
struct item_cache *item_cache_ref(struct item_cache *cache);
void item_cache_unref(struct item_cache *cache); /* NULL is allowed */

/* See store_find_item. */
const struct store_item *item_cache_find(struct item_cache *cache, const struct store_collection *collection,
	const struct id *id, const struct id *parent, const char *url);

/* A read is handed over; it has come back, and is kept if it may be.  Each read that begins must end. */
void item_cache_begin_read(struct item_cache *cache, struct store_read *read);
void item_cache_end_read(struct store_read *read);

/* A change has completed, whatever came of it. */
void item_cache_drop(struct item_cache *cache, const struct store_change *change);
