/*
 * Removes a resource with all its dependents (its children, their children and so on).  If there are many,
 * only the first go at once.  The rest is hidden from then on and is removed in steps of bounded length, each
 * in its own transaction, if need be after the next start.  Hidden rows are in nobody's way: ids are never
 * used again, and unique values and counts are kept for each parent.
 */
#pragma once

#include "store/sqlite/resources/row.h"
#include "store/sqlite/resources/statements.h"

/* How many resources are removed at once (a transaction may have many deletes), and how many in a step (some
 * ten milliseconds). */
#define REMOVAL_AT_ONCE 32
#define REMOVAL_STEP 500

/* Removes the resource; *ret_others says whether it had dependents.  The writer thread, within a transaction.
 * -errno of the database. */
__attribute__((warn_unused_result)) int removal_make(
	struct statements *statements, const struct resource *resource, bool *ret_others);

/* Makes one step; *ret_more says whether something is left to remove.  The writer thread, within a
 * transaction.  -errno of the database. */
__attribute__((warn_unused_result)) int removal_step(struct statements *statements, bool *ret_more);

/* -ENOENT if the children of that parent, which are resources of collection, are hidden; -errno.  The writer
 * thread or a reader. */
__attribute__((warn_unused_result)) int removal_look(
	struct statements *statements, const struct store_collection *collection, const struct id *parent);
