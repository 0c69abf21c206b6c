/*
 * How large the database and its log are: SQLite's automatic checkpoints hide their errors, so we make our own, between commits, and free pages
 * go back to the file system a few at a time.
 */
#include "store/database_parts.h"

#include <stddef.h>
#include <sys/stat.h>

/* The log is moved to the database when it has this many pages (4 MiB). */
#define CHECKPOINT_PAGES 1024

/* A file is shrunk when more than one page of SHRINK_SHARE is free and those are more than SHRINK_MIN: some room is left, for what has just been
 * freed is soon wanted again. */
#define SHRINK_SHARE 4
#define SHRINK_MIN 1024

/* The number that a statement answers. */
static int
ask(struct database *database, int which, int *ret_value)
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
	return database_run_own(database, STATEMENT_SHRINK);
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
	int rc = database_run_own(database, STATEMENT_PROBE);

	if (rc == 0)
		rc = database_run_own(database, STATEMENT_PROBE_REMOVE);
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
