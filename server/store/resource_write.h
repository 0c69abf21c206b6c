/* How the rows of the resources are written, once a change has been judged.  The writer's thread, within a
 * transaction; each fails with -errno of the database. */
#pragma once

#include "store/resource_row.h"
#include "store/statements.h"

/* How many more, or fewer, resources the lists have, kept until the end of a transaction: a group of creates
 * then costs one row. */
#define RESOURCE_COUNTS_MAX 16
struct resource_counts {
	struct resource_count {
		char *collection;
		struct id parent;
		bool has_parent;
		int64_t more;
	} list[RESOURCE_COUNTS_MAX];
	unsigned count;
};

/* Writes them: before the commit.  Forgets them: after a rollback. */
__attribute__((warn_unused_result)) int resource_counts_write(
	struct statements *statements, struct resource_counts *counts);
void resource_counts_forget(struct resource_counts *counts);

/* Adds the resource as the change has it, with the id, parent, status and action of resource, whose other
 * members are set. */
__attribute__((warn_unused_result)) int resource_write_insert(struct statements *statements,
	struct resource_counts *counts, const struct store_change *change, struct resource *resource);

/* Gives it what the change says, and the next version. */
__attribute__((warn_unused_result)) int resource_write_update(
	struct statements *statements, const struct store_change *change, struct resource *resource);

/* Writes status, action and message; or all that may change. */
__attribute__((warn_unused_result)) int resource_write_mark(
	struct statements *statements, const struct resource *resource);
__attribute__((warn_unused_result)) int resource_write_row(
	struct statements *statements, const struct resource *resource);

/* Has the resource of sequence own values instead of those that it had; the names are the change's
 * collection's. */
__attribute__((warn_unused_result)) int resource_write_values(
	struct statements *statements, const struct store_change *change, char **values, int64_t sequence);

/* Removes the resource with all that belongs to it; sets took_others. */
__attribute__((warn_unused_result)) int resource_write_remove(struct statements *statements,
	struct resource_counts *counts, struct store_change *change, const struct resource *resource);
