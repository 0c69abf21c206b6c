/* The rows of the resources: how changes change them, within a transaction.  One thread at a time. */
#pragma once

#include "store/database.h"
#include "store/representation.h"
#include "store/resources.h"

struct changes;

/* Prepares the statements.  -errno. */
__attribute__((warn_unused_result)) int changes_open(struct database *database, struct changes **ret_changes);

/* NULL is allowed. */
void changes_close(struct changes *changes);

/* Whether error is a refusal of a change (resources.h), which leaves the transaction as it was. */
bool changes_is_refusal(int error);

/* Makes a change at once; or leaves the resource PENDING, for the operation of that sequence to carry it out.  A
 * refusal, or -errno of the database. */
__attribute__((warn_unused_result)) int changes_apply(struct changes *changes, struct store_change *change);
__attribute__((warn_unused_result)) int changes_accept(
	struct changes *changes, struct store_change *change, uint64_t sequence);

/* Before the commit of a transaction; after its rollback. */
__attribute__((warn_unused_result)) int changes_finish(struct changes *changes);
void changes_roll_back(struct changes *changes);

/* Sets on_change; it stays NULL if the resource has gone with its parent. */
__attribute__((warn_unused_result)) int changes_begin(
	struct changes *changes, struct store_change *change, uint64_t sequence);

/* Settles the change of the operation. */
__attribute__((warn_unused_result)) int changes_end(
	struct changes *changes, struct store_change *change, uint64_t sequence);

/* Whether there may be resources that belonged to one that is gone, and are still to be removed (removal.h); removes some of them, within a
 * transaction. */
bool changes_is_removing(const struct changes *changes);
__attribute__((warn_unused_result)) int changes_remove_some(struct changes *changes);

/* Reads every row.  -EINVAL if one is damaged, -errno; *ret_why then says so. */
__attribute__((warn_unused_result)) int changes_check(struct changes *changes, char **ret_why);

/* Makes the indexes that the collection wants, and drops those that it does not want any more. */
__attribute__((warn_unused_result)) int changes_add_indexes(
	struct changes *changes, const struct store_collection *collection);

/* What the operation of that sequence is to carry out; *ret_pending's strings are the caller's to free.  -ENOENT
 * if it carries out no change. */
__attribute__((warn_unused_result)) int changes_find(
	struct changes *changes, uint64_t sequence, struct store_pending *ret_pending);
