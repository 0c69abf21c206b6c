/* Whether a change can be made as things stand, which it does not change.  The writer's thread, or a
 * reader's. */
#pragma once

#include "store/resource_row.h"
#include "store/statements.h"

/* 0, a refusal (resources.h), or -errno; ret_row is then the resource, where it is to be there.  at_once:
 * nobody carries the change out, so that none may be pending. */
__attribute__((warn_unused_result)) int judge_change(struct statements *statements,
	const struct store_change *change, bool at_once, struct resource_row *ret_row);

/* The resource that a change is of; -ENOENT if there is none. */
__attribute__((warn_unused_result)) int judge_find(
	struct statements *statements, const struct store_change *change, struct resource_row *ret_row);

/* -EEXIST if another resource than that of sequence has one of the values that must be unique. */
__attribute__((warn_unused_result)) int judge_unique(
	struct statements *statements, const struct store_change *change, char **values, int64_t sequence);

/* The parent of what a change is of, NULL where there is none. */
const struct id *judge_parent_of(const struct store_change *change);
