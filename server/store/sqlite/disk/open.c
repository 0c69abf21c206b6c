/*
 * Opens, checks and closes the database.
 *
 * Detected when a database is opened, checked and loaded: a file that is not a database of deferd, a file
 * that was cut short, pages with a damaged structure, rows whose values have changed (checksum.h).  Not
 * detected: a write-ahead log that is missing, truncated or damaged.  Its transactions look as if they were
 * never written.
 */
#include "store/sqlite/disk/open.h"

#include "store/sqlite/disk/checksum.h"
#include "store/sqlite/disk/header.h"
#include "store/sqlite/disk/private.h"
#include "store/sqlite/disk/schema.h"
#include "store/sqlite/disk/scratch.h"

#include "common/cleanup.h"
#include "common/text.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* The log file is truncated to this size after it has been larger. */
#define LOG_LIMIT "16777216"

/* Only a reader that is being opened holds a lock that blocks a write, and only briefly. */
#define BUSY_MS 2000

/*
 * Creates the file if it does not exist (SQLite would make it readable for everybody), and locks it until
 * *ret_fd is closed.  -EBUSY if another server has locked it, under whatever name; SQLite's own locks would
 * let that server in.
 */
static int
make_file(const char *path, int *ret_fd)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		int error = errno == EWOULDBLOCK ? EBUSY : errno;
		close(fd);
		return -error;
	}
	*ret_fd = fd;
	return 0;
}

/* Fails if SQLite chooses another journal mode. */
static int
start_log(sqlite3 *handle)
{
	sqlite3_stmt *statement;
	int rc = sqlite3_prepare_v2(handle, "PRAGMA journal_mode = WAL", -1, &statement, NULL);

	if (rc != SQLITE_OK)
		return rc;
	rc = sqlite3_step(statement);
	bool is_log = rc == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(statement, 0), "wal") == 0;
	int error = sqlite3_finalize(statement);
	return error != SQLITE_OK ? error : is_log ? SQLITE_OK : SQLITE_CANTOPEN;
}

/* The schema is trusted because the indexes of collections use json_extract(), which SQLite does not allow in
 * an untrusted schema. */
static int
set_up(struct database *database, bool exists)
{
	static const char always[] = "PRAGMA trusted_schema = ON;"
				     "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;"
				     "PRAGMA synchronous = FULL; PRAGMA cache_size = -8192;"
				     "PRAGMA journal_size_limit = " LOG_LIMIT;
	static const char at_first[] = "PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL";
	sqlite3 *handle = database->handle;
	int rc = sqlite3_exec(handle, always, NULL, NULL, NULL);

	if (rc == SQLITE_OK && !exists)
		rc = sqlite3_exec(handle, at_first, NULL, NULL, NULL);
	if (rc == SQLITE_OK && !exists) {
		CLEANUP_FREE char *sql = xasprintf("PRAGMA application_id = %d", SCHEMA_APPLICATION_ID);
		rc = sqlite3_exec(handle, sql, NULL, NULL, NULL);
	}
	if (rc == SQLITE_OK)
		rc = start_log(handle);
	if (rc == SQLITE_OK)
		rc = checksum_register(handle);
	if (rc == SQLITE_OK)
		rc = schema_upgrade(handle);
	return rc;
}

static char *
explain(const struct database *database, int error)
{
	const char *path = database->path;

	if (error == -EBUSY)
		return xasprintf("%s is in use by another program", path);
	if (database->broken)
		return xasprintf("%s is damaged: %s", path, database->message);
	if (error == -EINVAL)
		return xasprintf("%s was written by a newer version of deferd, or is damaged", path);
	return xasprintf("cannot read %s: %s", path, database->message);
}

/* Opens and sets up the file at database->path. */
static int
open_file(struct database *database, bool exists)
{
	int rc = sqlite3_open_v2(
		database->path, &database->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc == SQLITE_OK) {
		sqlite3_extended_result_codes(database->handle, 1);
		database_watch_log(database);
		sqlite3_busy_timeout(database->handle, BUSY_MS);
		rc = set_up(database, exists);
	}
	rc = database_error(database, rc);
	return rc < 0 ? rc : database_prepare_own(database);
}

int
database_open(const char *path, struct database **ret_database, char **ret_why)
{
	bool exists;
	int rc = header_look(path, &exists, ret_why);

	if (rc < 0)
		return rc;
	int lock_fd = -1;
	rc = make_file(path, &lock_fd);
	if (rc < 0) {
		*ret_why = rc == -EBUSY ? xasprintf("%s is in use by another program", path)
					: xasprintf("cannot make %s: %s", path, strerror(-rc));
		return rc;
	}
	struct database *database = xcalloc(1, sizeof *database);
	database->lock_fd = lock_fd;
	database->path = xstrdup(path);
	rc = open_file(database, exists);
	if (rc == 0)
		rc = database_checkpoint(database, SQLITE_CHECKPOINT_TRUNCATE);
	if (rc < 0) {
		*ret_why = explain(database, rc);
		database_close(database);
		return rc;
	}
	*ret_database = database;
	return 0;
}

static int
make_temporary_file(char **ret_path)
{
	char *path = xasprintf("%s/deferd-XXXXXX", scratch_place());
	int fd = mkostemp(path, O_CLOEXEC);

	if (fd < 0) {
		int error = errno;
		free(path);
		return -error;
	}
	close(fd);
	*ret_path = path;
	return 0;
}

int
database_open_temporary(struct database **ret_database, char **ret_why)
{
	char *path = NULL;
	int rc = make_temporary_file(&path);

	if (rc < 0) {
		*ret_why = xasprintf("cannot make a temporary file for collections: %s", strerror(-rc));
		return rc;
	}
	struct database *database = xcalloc(1, sizeof *database);
	database->path = path;
	database->lock_fd = -1;
	rc = open_file(database, false);
	if (rc == 0)
		rc = database_execute(database, "PRAGMA synchronous = OFF");
	if (rc < 0) {
		*ret_why = explain(database, rc);
		database_unlink(database);
		database_close(database);
		return rc;
	}
	*ret_database = database;
	return 0;
}

void
database_unlink(struct database *database)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};

	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
		CLEANUP_FREE char *name = xasprintf("%s%s", database->path, suffixes[i]);
		unlink(name);
	}
}

int
database_check(struct database *database, char **ret_why)
{
	sqlite3_stmt *statement;
	int rc = database_prepare(database, "PRAGMA quick_check(1)", &statement);

	if (rc == 0) {
		int step = sqlite3_step(statement);
		const char *verdict =
			step == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
		if (verdict && strcmp(verdict, "ok") != 0)
			rc = database_error(database, SQLITE_CORRUPT);
		else if (!verdict)
			rc = database_error(database, step == SQLITE_DONE ? SQLITE_ERROR : step);
		sqlite3_finalize(statement);
	}
	if (rc < 0)
		*ret_why = explain(database, rc);
	return rc;
}

void
database_close(struct database *database)
{
	if (!database)
		return;
	for (int i = 0; i < DATABASE_STATEMENT_COUNT; i++)
		sqlite3_finalize(database->statements[i]);
	if (database->broken)
		sqlite3_db_config(database->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	int rc = sqlite3_close(database->handle);
	assert(rc == SQLITE_OK);
	/* Last, because closing a file drops all locks that SQLite has on it. */
	if (database->lock_fd >= 0)
		close(database->lock_fd);
	free(database->path);
	free(database);
}
