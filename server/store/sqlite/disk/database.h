/*
 * The database: one connection with its statements and transactions, its failures, its checkpoints and its
 * size.  database_open.h opens and closes it.  One thread at a time, except where another rule is given; the
 * thread may change between calls.
 */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct database;

const char *database_path(const struct database *database);

/* Prepares a statement that the caller keeps and finalizes.  -errno. */
__attribute__((warn_unused_result)) int database_prepare(
	struct database *database, const char *sql, sqlite3_stmt **ret_statement);

/* Runs a statement, skips its rows, and resets it.  -errno. */
__attribute__((warn_unused_result)) int database_run(struct database *database, sqlite3_stmt *statement);

/* Runs SQL once, without keeping a statement.  -errno. */
__attribute__((warn_unused_result)) int database_execute(struct database *database, const char *sql);

/* Translates a result code of SQLite: -errno (-ENOSPC, -EIO, ...), or 0 if it is no failure.  Every failure
 * of a statement must pass through here, because this is where the database is marked as broken. */
int database_error(struct database *database, int result_code);

/* SQLite's message about the last failure; valid until the next one. */
const char *database_message(const struct database *database);

/* Whether the contents of the disk are unknown (a sync failed, a page is damaged).  Then nothing may be
 * written until the database has been opened again. */
bool database_is_broken(const struct database *database);

/* The number of rows that the last statement changed; the key of the last row that was inserted. */
int database_changes(const struct database *database);
int64_t database_last_row(const struct database *database);

/* A transaction.  A commit that returns 0 is on disk.  A commit that fails has changed nothing once it has
 * been rolled back; writer.c describes the exception.  -errno. */
__attribute__((warn_unused_result)) int database_begin(struct database *database);
__attribute__((warn_unused_result)) int database_commit(struct database *database);
void database_rollback(struct database *database); /* does nothing outside a transaction */

/* Within a transaction: if much of the file is free, returns a bounded number of pages to the file system.
 * -errno. */
__attribute__((warn_unused_result)) int database_shrink(struct database *database);

/* After a commit: copies the write-ahead log into the database file once the log is long enough.  -errno. */
__attribute__((warn_unused_result)) int database_tidy(struct database *database);

/* Writes as much as an operation may need, deletes it, and copies the log into the database file.  -errno. */
__attribute__((warn_unused_result)) int database_probe(struct database *database);

/* The size of the database file after the last checkpoint.  Any thread. */
uint64_t database_file_bytes(const struct database *database);
