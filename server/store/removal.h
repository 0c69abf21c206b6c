/*
 * A resource removed with all that belongs to it.  Where that is much, only the first of it goes at once: the rest is hidden from
 * then on, and is removed in steps of bounded length, each in a transaction of its own, also by the next start.  Ids are never used again, and
 * values that must be unique and numbers of resources are kept by parent, so that what is hidden is in nobody's way.
 */
#pragma once

#include "store/resource_row.h"
#include "store/statements.h"

/* How many resources go at once, for many may be deleted in a transaction; and in a step: some ten milliseconds. */
#define REMOVAL_AT_ONCE 32
#define REMOVAL_STEP 500

/* Removes it; *ret_others is whether there was something that belonged to it.  The writer's thread, within a transaction; -errno of the
 * database. */
__attribute__((warn_unused_result)) int removal_make(
	struct statements *statements, const struct resource *resource, bool *ret_others);

/* A step, likewise; *ret_more is whether there is still something to be removed. */
__attribute__((warn_unused_result)) int removal_step(struct statements *statements, bool *ret_more);

/* -ENOENT if what belongs to that parent, of resources of collection, is hidden.  The writer's thread, or a reader's. */
__attribute__((warn_unused_result)) int removal_look(
	struct statements *statements, const struct store_collection *collection, const struct id *parent);
