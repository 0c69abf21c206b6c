/* Changes of resources: judges and makes them in the database, within a transaction.  One thread at a
 * time. */
#pragma once

#include "store/resources.h"
#include "store/shared/representation.h"
#include "store/sqlite/disk/database.h"

struct changes;

/* Prepares the statements.  -errno. */
__attribute__((warn_unused_result)) int changes_open(struct database *database, struct changes **ret_changes);

/* NULL is allowed. */
void changes_close(struct changes *changes);

/* Whether error is a refusal of a change (resources.h).  A refused change leaves the transaction as it
 * was. */
bool changes_is_refusal(int error);

/* changes_apply makes a change at once. changes_accept leaves the resource PENDING, for the operation with
 * that sequence.  A refusal, or -errno of the database. */
__attribute__((warn_unused_result)) int changes_apply(struct changes *changes, struct store_change *change);
__attribute__((warn_unused_result)) int changes_accept(
	struct changes *changes, struct store_change *change, uint64_t sequence);

/* Must be called before the commit of a transaction, and after its rollback. */
__attribute__((warn_unused_result)) int changes_finish(struct changes *changes);
void changes_roll_back(struct changes *changes);

/* Sets on_change; it stays NULL if the resource has been deleted with its parent.  -errno. */
__attribute__((warn_unused_result)) int changes_begin(
	struct changes *changes, struct store_change *change, uint64_t sequence);

/* Settles the change of an operation that ends, and sets its final response.  -errno. */
__attribute__((warn_unused_result)) int changes_end(
	struct changes *changes, struct store_change *change, uint64_t sequence);

/* Whether dependents of deleted resources may still have to be removed (removal.h); removes some of them,
 * within a transaction.  -errno. */
bool changes_is_removing(const struct changes *changes);
__attribute__((warn_unused_result)) int changes_remove_some(struct changes *changes);

/* Reads every row.  -EINVAL if one is damaged, -errno; *ret_why then explains. */
__attribute__((warn_unused_result)) int changes_check(struct changes *changes, char **ret_why);

/* Creates the indexes that the collection lists, and drops its others.  -errno. */
__attribute__((warn_unused_result)) int changes_add_indexes(
	struct changes *changes, const struct store_collection *collection);

/* Finds the change that the operation with that sequence must carry out; the caller frees *ret_pending's
 * strings.  -ENOENT if there is none, -errno. */
__attribute__((warn_unused_result)) int changes_find(
	struct changes *changes, uint64_t sequence, struct store_pending *ret_pending);
