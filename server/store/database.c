/*
 * The database: its statements and transactions.
 *
 * Write-ahead log with a sync at every commit, one connection that writes, and others that read (reader.c); the
 * lock beside the file (lock.c) keeps other servers out.  A commit is one append to the log and one sync.
 */
#include "store/database_parts.h"

#include <stddef.h>

#define SHRINK_STEP "32" /* pages a commit gives back */
#define PROBE_BYTES "65536"

static const char *const statements[STATEMENT_COUNT] = {
	[STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
	[STATEMENT_COMMIT] = "COMMIT",
	[STATEMENT_ROLLBACK] = "ROLLBACK",
	[STATEMENT_PAGES] = "PRAGMA page_count",
	[STATEMENT_FREE_PAGES] = "PRAGMA freelist_count",
	[STATEMENT_SHRINK] = "PRAGMA incremental_vacuum(" SHRINK_STEP ")",
	[STATEMENT_PROBE] = "INSERT OR REPLACE INTO probe VALUES (1, zeroblob(" PROBE_BYTES "))",
	[STATEMENT_PROBE_REMOVE] = "DELETE FROM probe",
};

int64_t
database_last_row(const struct database *database)
{
	return sqlite3_last_insert_rowid(database->handle);
}

const char *
database_path(const struct database *database)
{
	return database->path;
}

int
database_execute(struct database *database, const char *sql)
{
	return database_error(database, sqlite3_exec(database->handle, sql, NULL, NULL, NULL));
}

int
database_changes(const struct database *database)
{
	return sqlite3_changes(database->handle);
}

int
database_prepare(struct database *database, const char *sql, sqlite3_stmt **ret_statement)
{
	int rc =
		sqlite3_prepare_v3(database->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, ret_statement, NULL);

	return database_error(database, rc);
}

int
database_run(struct database *database, sqlite3_stmt *statement)
{
	int rc;

	do
		rc = sqlite3_step(statement);
	while (rc == SQLITE_ROW);
	sqlite3_reset(statement);
	return database_error(database, rc);
}

int
database_prepare_own(struct database *database)
{
	for (int i = 0; i < STATEMENT_COUNT; i++) {
		int rc = database_prepare(database, statements[i], &database->statements[i]);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int
database_run_own(struct database *database, int which)
{
	return database_run(database, database->statements[which]);
}

int
database_begin(struct database *database)
{
	return database_run_own(database, STATEMENT_BEGIN);
}

int
database_commit(struct database *database)
{
	return database_run_own(database, STATEMENT_COMMIT);
}

void
database_rollback(struct database *database)
{
	/* It fails where SQLite has rolled back by itself; what matters is that no transaction is left. */
	if (!sqlite3_get_autocommit(database->handle))
		sqlite3_step(database->statements[STATEMENT_ROLLBACK]);
	sqlite3_reset(database->statements[STATEMENT_ROLLBACK]);
}
