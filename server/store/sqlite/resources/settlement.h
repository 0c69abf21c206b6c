/* Settles a resource when an operation that changes it ends, and passes the answer of the work to the changes
 * that wait behind. */
#pragma once

#include "store/sqlite/resources/write.h"

/* See changes_end.  A transaction of the writer thread. */
__attribute__((warn_unused_result)) int settlement_make(struct statements *statements,
	struct resource_counts *counts, struct store_change *change, uint64_t sequence);

/* Finds the resource that the operation changes: with the document as that change left it, and the document
 * with all changes in current.  -ENOENT if the resource or one above it has been deleted, -errno. */
__attribute__((warn_unused_result)) int settlement_find(struct statements *statements,
	const struct store_change *change, uint64_t sequence, struct resource_row *ret_row);
