/* What the files of the database share: the connection itself.  Not for the rest of this layer. */
#pragma once

#include "store/database.h"

/* The statements that a database keeps for itself. */
enum {
	STATEMENT_BEGIN,
	STATEMENT_COMMIT,
	STATEMENT_ROLLBACK,
	STATEMENT_PAGES,
	STATEMENT_FREE_PAGES,
	STATEMENT_SHRINK,
	STATEMENT_PROBE,
	STATEMENT_PROBE_REMOVE,
	STATEMENT_COUNT,
};

struct database {
	sqlite3 *handle;
	char *path;
	int lock_fd; /* see make_file; -1: none */
	sqlite3_stmt *statements[STATEMENT_COUNT];
	int log_pages;	     /* in the write-ahead log after the last commit */
	uint64_t file_bytes; /* see database_file_bytes */
	bool broken;	     /* see database_is_broken */
	char message[256];   /* see database_message */
};

/* database.c: prepares its own statements, and runs one that has no rows. */
__attribute__((warn_unused_result)) int database_prepare_own(struct database *database);
__attribute__((warn_unused_result)) int database_run_own(struct database *database, int which);

/* database_size.c: every commit tells from now on how long the log is. */
void database_watch_log(struct database *database);

/* database_size.c: moves the log to the database, in one of SQLite's modes. */
__attribute__((warn_unused_result)) int database_checkpoint(struct database *database, int mode);
