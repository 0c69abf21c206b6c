/*
 * The database: its statements and transactions, its failures, its checkpoints and its size.
 *
 * It uses a write-ahead log.  One connection writes, others read (reader.c), and the lock beside the file
 * (lock.c) keeps other servers out.  A commit is one append to the log and one sync.
 *
 * When a sync fails, the kernel may have dropped the data and reports that only once.  A damaged page shows
 * that the disk does not return what was written to it.  After either the database counts as broken and
 * nothing is written any more.  Opening it again is safe: the contents of the log are copied to the database
 * file and synced again before the log is deleted.
 *
 * SQLite's automatic checkpoints hide their errors, so the checkpoints here are explicit, between commits.
 * Free pages return to the file system a few at a time.
 */
#include "store/sqlite/disk/private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SHRINK_STEP "32" /* pages a commit gives back */
#define PROBE_BYTES "65536"

/* The log is copied to the database file when it has this many pages (4 MiB). */
#define CHECKPOINT_PAGES 1024

/* The file shrinks when more than one page in SHRINK_SHARE is free and more than SHRINK_MIN pages are.  Some
 * free pages stay, because freed space is soon used again. */
#define SHRINK_SHARE 4
#define SHRINK_MIN 1024

static const char *const statements[DATABASE_STATEMENT_COUNT] = {
	[STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
	[STATEMENT_COMMIT] = "COMMIT",
	[STATEMENT_ROLLBACK] = "ROLLBACK",
	[STATEMENT_PAGES] = "PRAGMA page_count",
	[STATEMENT_FREE_PAGES] = "PRAGMA freelist_count",
	[STATEMENT_SHRINK] = "PRAGMA incremental_vacuum(" SHRINK_STEP ")",
	[STATEMENT_PROBE] = "INSERT OR REPLACE INTO probe VALUES (1, zeroblob(" PROBE_BYTES "))",
	[STATEMENT_PROBE_REMOVE] = "DELETE FROM probe",
};

/* Whether a failure shows that data on the disk is lost or damaged. */
static bool
breaks(int result_code)
{
	switch (result_code & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return true;
	case SQLITE_IOERR:
		return result_code == SQLITE_IOERR_FSYNC || result_code == SQLITE_IOERR_DIR_FSYNC ||
		       result_code == SQLITE_IOERR_CORRUPTFS;
	default:
		return false;
	}
}

/* The error for a failure with a cause in the operating system. */
static int
error_of_system(const struct database *database)
{
	int error = sqlite3_system_errno(database->handle);

	return error == EDQUOT || error == EFBIG ? -ENOSPC : -EIO;
}

static int
error_of(const struct database *database, int result_code)
{
	switch (result_code & 0xff) {
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_SCHEMA:
	case SQLITE_ERROR:
		return -EINVAL;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CONSTRAINT:
		return -EEXIST;
	default:
		return error_of_system(database);
	}
}

int
database_error(struct database *database, int result_code)
{
	if (result_code == SQLITE_OK || result_code == SQLITE_ROW || result_code == SQLITE_DONE)
		return 0;
	int system = sqlite3_system_errno(database->handle);
	bool by_system = system != 0 &&
			 ((result_code & 0xff) == SQLITE_IOERR || (result_code & 0xff) == SQLITE_CANTOPEN);
	snprintf(database->message, sizeof database->message, "%s (%d%s%s)",
		sqlite3_errstr(result_code & 0xff), result_code, by_system ? ", " : "",
		by_system ? strerror(system) : "");
	database->broken |= breaks(result_code);
	return error_of(database, result_code);
}

const char *
database_message(const struct database *database)
{
	return database->message;
}

bool
database_is_broken(const struct database *database)
{
	return database->broken;
}

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
	for (int i = 0; i < DATABASE_STATEMENT_COUNT; i++) {
		int rc = database_prepare(database, statements[i], &database->statements[i]);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int
run_own(struct database *database, enum database_statement which)
{
	return database_run(database, database->statements[which]);
}

int
database_begin(struct database *database)
{
	return run_own(database, STATEMENT_BEGIN);
}

int
database_commit(struct database *database)
{
	return run_own(database, STATEMENT_COMMIT);
}

void
database_rollback(struct database *database)
{
	/* This fails if SQLite has already rolled back.  All that matters is that no transaction is left
	 * open. */
	if (!sqlite3_get_autocommit(database->handle))
		sqlite3_step(database->statements[STATEMENT_ROLLBACK]);
	sqlite3_reset(database->statements[STATEMENT_ROLLBACK]);
}

/* Reads the number that a statement returns. */
static int
ask(struct database *database, enum database_statement which, int *ret_value)
{
	sqlite3_stmt *statement = database->statements[which];
	int rc = sqlite3_step(statement);

	if (rc == SQLITE_ROW)
		*ret_value = sqlite3_column_int(statement, 0);
	sqlite3_reset(statement);
	return database_error(database, rc);
}

int
database_shrink(struct database *database)
{
	int pages = 0, free_pages = 0;
	int rc = ask(database, STATEMENT_FREE_PAGES, &free_pages);

	if (rc < 0 || free_pages <= SHRINK_MIN)
		return rc;
	rc = ask(database, STATEMENT_PAGES, &pages);
	if (rc < 0 || free_pages <= pages / SHRINK_SHARE)
		return rc;
	return run_own(database, STATEMENT_SHRINK);
}

static void
measure(struct database *database)
{
	struct stat status;

	if (stat(database->path, &status) == 0)
		database->file_bytes = (uint64_t)status.st_size;
}

int
database_checkpoint(struct database *database, int mode)
{
	int rc = sqlite3_wal_checkpoint_v2(database->handle, NULL, mode, NULL, NULL);

	measure(database);
	return database_error(database, rc);
}

int
database_tidy(struct database *database)
{
	if (database->log_pages < CHECKPOINT_PAGES)
		return 0;
	return database_checkpoint(database, SQLITE_CHECKPOINT_PASSIVE);
}

int
database_probe(struct database *database)
{
	int rc = run_own(database, STATEMENT_PROBE);

	if (rc == 0)
		rc = run_own(database, STATEMENT_PROBE_REMOVE);
	return rc < 0 ? rc : database_checkpoint(database, SQLITE_CHECKPOINT_PASSIVE);
}

static int
on_commit(void *arg, sqlite3 *handle, const char *name, int log_pages)
{
	((struct database *)arg)->log_pages = log_pages;
	return SQLITE_OK;
}

void
database_watch_log(struct database *database)
{
	sqlite3_wal_hook(database->handle, on_commit, database);
}

uint64_t
database_file_bytes(const struct database *database)
{
	return database->file_bytes;
}
