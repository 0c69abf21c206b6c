/* Opening, checking and closing the database. */
#pragma once

#include "store/sqlite/disk/database.h"

/*
 * Opens the database, or creates it.  What the last server left in the write-ahead log is copied into the
 * database file and is on disk when this returns.  -EBUSY if another process has it open, -EINVAL if it is
 * damaged or of a newer version, -errno of the disk; *ret_why then explains (malloc'ed).
 */
__attribute__((warn_unused_result)) int database_open(
	const char *path, struct database **ret_database, char **ret_why);

/* Opens a new database that need not last: a temporary file that is never synced.  Errors as above.
 * database_unlink removes its names once every connection is open. */
__attribute__((warn_unused_result)) int database_open_temporary(
	struct database **ret_database, char **ret_why);
void database_unlink(struct database *database);

/* Reads the whole file.  -EINVAL if the structure of a page is damaged, -errno; *ret_why then explains. */
__attribute__((warn_unused_result)) int database_check(struct database *database, char **ret_why);

/* The caller has finalized its statements.  NULL is allowed. */
void database_close(struct database *database);
