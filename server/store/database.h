/*
 * The database file: opened, checked, brought to our schema; its transactions, its checkpoints and its
 * size.  One thread at a time; which thread may change between calls.
 */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct database;

/*
 * Opens the database, or makes it.  What the last server left in the write-ahead log is moved to the
 * database, and is on disk once this returns.  -EBUSY when another process has it open, -EINVAL when it is
 * damaged or of a newer version, -errno of the disk; *ret_why then says so (malloc'ed).
 */
__attribute__((warn_unused_result)) int database_open(
	const char *path, struct database **ret_database, char **ret_why);

/* Opens a database for what need not last: a file in the directory for temporary files, which nothing is
 * synced to.  Its name goes with database_unlink.  As above. */
__attribute__((warn_unused_result)) int database_open_temporary(
	struct database **ret_database, char **ret_why);
void database_unlink(struct database *database);

const char *database_path(const struct database *database);

/* Reads the whole file.  -EINVAL if the structure of a page is damaged, -errno; *ret_why then says so. */
__attribute__((warn_unused_result)) int database_check(struct database *database, char **ret_why);

/* Statements must have been finalized.  NULL is allowed. */
void database_close(struct database *database);

/* Prepares a statement that is kept. */
__attribute__((warn_unused_result)) int database_prepare(
	struct database *database, const char *sql, sqlite3_stmt **ret_statement);

/* Runs a statement that has no rows, or whose rows nobody wants, and resets it. */
__attribute__((warn_unused_result)) int database_run(struct database *database, sqlite3_stmt *statement);

/* -errno for a result code of SQLite (-ENOSPC, -EIO, ...), 0 for those that are none.  Every failure of a
 * statement must go through here: it is where the database becomes known to be broken. */
int database_error(struct database *database, int result_code);

/* What SQLite said about the last failure; valid until the next one. */
const char *database_message(const struct database *database);

/* Whether what is on disk is not known any more (a sync failed, a page is damaged): nothing may be written
 * until it was opened again. */
bool database_is_broken(const struct database *database);

/* Rows that the last statement changed; the key of the last row that was added. */
int database_changes(const struct database *database);
int64_t database_last_row(const struct database *database);

/* Runs a statement that is not kept. */
__attribute__((warn_unused_result)) int database_execute(struct database *database, const char *sql);

/* A commit that returns 0 is on disk.  One that fails has changed nothing once it has been rolled back, but
 * see writer.c. */
__attribute__((warn_unused_result)) int database_begin(struct database *database);
__attribute__((warn_unused_result)) int database_commit(struct database *database);
void database_rollback(struct database *database); /* does nothing outside of a transaction */

/* Within a transaction: gives a bounded number of pages back to the file system when a large part of the file
 * is free. */
__attribute__((warn_unused_result)) int database_shrink(struct database *database);

/* After a commit: moves the write-ahead log to the database when it has grown enough. */
__attribute__((warn_unused_result)) int database_tidy(struct database *database);

/* Writes as much as an operation may need, removes it again, and moves the log to the database. */
__attribute__((warn_unused_result)) int database_probe(struct database *database);

/* Size of the database file when it was last looked at. */
uint64_t database_file_bytes(const struct database *database);
