/* Writes rows of resources, once a change has been judged.  The writer thread, within a transaction; every
 * function fails with -errno of the database. */
#pragma once

#include "store/sqlite/resources/row.h"
#include "store/sqlite/resources/statements.h"

/* The changes in the number of resources of each list, kept until the end of a transaction: so a group of
 * creates writes one row. */
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

/* Writes the counts, before the commit; drops them, after a rollback. */
__attribute__((warn_unused_result)) int resource_counts_write(
	struct statements *statements, struct resource_counts *counts);
void resource_counts_forget(struct resource_counts *counts);

/* Inserts the resource of the change, with the id, parent, status and action of resource; sets the other
 * members of resource. */
__attribute__((warn_unused_result)) int resource_write_insert(struct statements *statements,
	struct resource_counts *counts, const struct store_change *change, struct resource *resource);

/* Updates the resource with the document of the change and the next version. */
__attribute__((warn_unused_result)) int resource_write_update(
	struct statements *statements, const struct store_change *change, struct resource *resource);

/* resource_write_mark writes status, action and message; resource_write_row writes every column that may
 * change. */
__attribute__((warn_unused_result)) int resource_write_mark(
	struct statements *statements, const struct resource *resource);
__attribute__((warn_unused_result)) int resource_write_row(
	struct statements *statements, const struct resource *resource);

/* Replaces the unique values of the resource with that sequence; values are in the order of the collection's
 * unique. */
__attribute__((warn_unused_result)) int resource_write_values(
	struct statements *statements, const struct store_change *change, char **values, int64_t sequence);

/* Removes the resource with its dependents; sets took_others. */
__attribute__((warn_unused_result)) int resource_write_remove(struct statements *statements,
	struct resource_counts *counts, struct store_change *change, const struct resource *resource);
