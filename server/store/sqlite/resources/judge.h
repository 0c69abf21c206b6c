/* Judges whether a change can be made now, without making it.  Used by the writer thread and by readers. */
#pragma once

#include "store/sqlite/resources/row.h"
#include "store/sqlite/resources/statements.h"

/* Judges a change: 0, a refusal (resources.h), or -errno.  Sets ret_row to the resource unless the change
 * creates one. at_once: the change needs no work, so no other change may be pending. */
__attribute__((warn_unused_result)) int judge_change(struct statements *statements,
	const struct store_change *change, bool at_once, struct resource_row *ret_row);

/* Finds the resource of a change; -ENOENT if there is none, -errno. */
__attribute__((warn_unused_result)) int judge_find(
	struct statements *statements, const struct store_change *change, struct resource_row *ret_row);

/* -EEXIST if a resource other than the one with that sequence has one of the unique values; -errno. */
__attribute__((warn_unused_result)) int judge_unique(
	struct statements *statements, const struct store_change *change, char **values, int64_t sequence);

/* The parent of the resource of a change; NULL if there is none. */
const struct id *judge_parent_of(const struct store_change *change);
