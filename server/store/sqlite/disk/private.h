/* What the files of the database share: the connection and its own statements.  Only database.c and
 * database_open.c include it. */
#pragma once

#include "store/sqlite/disk/database.h"

/* The statements that the database uses itself. */
enum database_statement {
	STATEMENT_BEGIN,
	STATEMENT_COMMIT,
	STATEMENT_ROLLBACK,
	STATEMENT_PAGES,
	STATEMENT_FREE_PAGES,
	STATEMENT_SHRINK,
	STATEMENT_PROBE,
	STATEMENT_PROBE_REMOVE,
	DATABASE_STATEMENT_COUNT,
};

struct database {
	sqlite3 *handle;
	char *path;
	int lock_fd; /* holds the lock on the file (database_open.c); -1: there is none */
	sqlite3_stmt *statements[DATABASE_STATEMENT_COUNT];
	int log_pages;		     /* length of the write-ahead log after the last commit */
	_Atomic uint64_t file_bytes; /* see database_file_bytes */
	bool broken;		     /* see database_is_broken */
	char message[256];	     /* see database_message */
};

/* Prepares the database's own statements.  -errno. */
__attribute__((warn_unused_result)) int database_prepare_own(struct database *database);

/* From now on every commit updates log_pages. */
void database_watch_log(struct database *database);

/* Copies the write-ahead log into the database file; mode is one of SQLite's SQLITE_CHECKPOINT_*.  -errno. */
__attribute__((warn_unused_result)) int database_checkpoint(struct database *database, int mode);
