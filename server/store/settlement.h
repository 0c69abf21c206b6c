/* What becomes of a resource, and of those whose changes wait behind, when an operation that changes it ends. */
#pragma once

#include "store/resource_write.h"

/* See changes_end. */
__attribute__((warn_unused_result)) int settlement_make(struct statements *statements,
	struct resource_counts *counts, struct store_change *change, uint64_t sequence);

/* The resource whose change the operation carries out, with the document as that change left it, and as it is in current.  -ENOENT
 * if it is gone, or goes with its parent. */
__attribute__((warn_unused_result)) int settlement_find(struct statements *statements,
	const struct store_change *change, uint64_t sequence, struct resource_row *ret_row);
