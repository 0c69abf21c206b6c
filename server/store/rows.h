/* The rows of the operations: how each write changes them, and how they are read at start.  One thread at a
 * time. */
#pragma once

#include "store/backend.h"
#include "store/database.h"
#include "store/spool.h"

struct rows;

/* Prepares the statements.  -errno. */
__attribute__((warn_unused_result)) int rows_open(struct database *database, struct rows **ret_rows);

/* NULL is allowed. */
void rows_close(struct rows *rows);

/* Does what verb says, within a transaction; file, where there is one, stands for the body or the
 * result.  -ENOENT where there is no such operation, -errno of the database. */
__attribute__((warn_unused_result)) int rows_write(struct rows *rows, enum store_verb verb,
	const struct store_operation *operation, const struct blob *file);

/* See store_load; the files that the rows name become spool's. */
__attribute__((warn_unused_result)) int rows_load(
	struct rows *rows, struct spool *spool, store_load_fn fn, void *arg, char **ret_why);
