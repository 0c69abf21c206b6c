/* The rows of operations: writes them, and reads them at start.  One thread at a time. */
#pragma once

#include "store/backend.h"
#include "store/sqlite/disk/database.h"
#include "store/sqlite/disk/spool.h"

struct rows;

/* Prepares the statements.  -errno. */
__attribute__((warn_unused_result)) int rows_open(struct database *database, struct rows **ret_rows);

/* NULL is allowed. */
void rows_close(struct rows *rows);

/* Carries out a verb that has a row, within a transaction. file is the file of the body or result; NULL: the
 * bytes go into the row.  -ENOENT if there is no such operation, -errno of the database. */
__attribute__((warn_unused_result)) int rows_write(struct rows *rows, enum store_verb verb,
	const struct store_operation *operation, const struct blob *file);

/* See store_load.  Files that rows name are adopted by spool. */
__attribute__((warn_unused_result)) int rows_load(
	struct rows *rows, struct spool *spool, store_load_fn fn, void *arg, char **ret_why);
