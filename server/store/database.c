/*
 * The database.
 *
 * Write-ahead log with a sync at every commit, one connection that writes, and others that read (reader.c); the
 * lock beside the file (lock.c) keeps other servers out.  A commit is one append to the log and one sync.  SQLite's automatic
 * checkpoints hide their errors, so we make our own, between commits.
 *
 * When a sync fails, the kernel may have dropped what was to be written and will say so only once; a page
 * that is damaged says that the disk does not keep what it was given.  From then on the database counts as
 * broken, and nothing is written any more.  Opening it again is safe: what the log has is copied to the
 * database, is written and synced anew, and only then does the log go.
 *
 * What is found when a database is opened, checked and loaded: files that are none of ours, a file that was
 * cut off, pages that are damaged in their structure, rows whose values have changed (checksum.h).  What is
 * not: a log that is gone, or was cut off or damaged, for what it had then looks as if it had not been
 * written yet.
 */
#include "store/database.h"

#include "store/checksum.h"
#include "store/header.h"
#include "store/schema.h"

#include "common/cleanup.h"
#include "common/text.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The log is moved to the database when it has this many pages (4 MiB), and is cut back to the limit after it
 * was larger. */
#define CHECKPOINT_PAGES 1024
#define LOG_LIMIT "16777216"

/* A file is shrunk when more than one page of SHRINK_SHARE is free and those are more than SHRINK_MIN, by
 * SHRINK_STEP a commit: some room is left, for what has just been freed is soon wanted again. */
#define SHRINK_SHARE 4
#define SHRINK_MIN 1024
#define SHRINK_STEP "32"

#define PROBE_BYTES "65536"

/* Only a reader that is being opened holds a lock that a write wants, and that not for long. */
#define BUSY_MS 2000

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

/* Which failures say that the disk does not have, or does not give back, what it was given. */
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

/* Of failures that the system has given a reason for. */
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

uint64_t
database_file_bytes(const struct database *database)
{
	return database->file_bytes;
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

static int
run(struct database *database, int which)
{
	return database_run(database, database->statements[which]);
}

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
database_begin(struct database *database)
{
	return run(database, STATEMENT_BEGIN);
}

int
database_commit(struct database *database)
{
	return run(database, STATEMENT_COMMIT);
}

void
database_rollback(struct database *database)
{
	/* It fails where SQLite has rolled back by itself; what matters is that no transaction is left. */
	if (!sqlite3_get_autocommit(database->handle))
		sqlite3_step(database->statements[STATEMENT_ROLLBACK]);
	sqlite3_reset(database->statements[STATEMENT_ROLLBACK]);
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
	return run(database, STATEMENT_SHRINK);
}

static void
measure(struct database *database)
{
	struct stat status;

	if (stat(database->path, &status) == 0)
		database->file_bytes = (uint64_t)status.st_size;
}

static int
checkpoint(struct database *database, int mode)
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
	return checkpoint(database, SQLITE_CHECKPOINT_PASSIVE);
}

int
database_probe(struct database *database)
{
	int rc = run(database, STATEMENT_PROBE);

	if (rc == 0)
		rc = run(database, STATEMENT_PROBE_REMOVE);
	return rc < 0 ? rc : checkpoint(database, SQLITE_CHECKPOINT_PASSIVE);
}

static int
on_commit(void *arg, sqlite3 *handle, const char *name, int log_pages)
{
	((struct database *)arg)->log_pages = log_pages;
	return SQLITE_OK;
}

/*
 * Makes the file where there is none, for SQLite would let everybody read it, and locks it as long as *ret_fd is open: -EBUSY
 * if another server has it, by whatever name.  SQLite's own locks let others in.
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

/* Fails where SQLite answers with another journal mode than the one asked for. */
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

/* The schema is trusted because indexes of collections use json_extract(), which SQLite otherwise keeps out of it. */
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

static int
prepare_all(struct database *database)
{
	for (int i = 0; i < STATEMENT_COUNT; i++) {
		int rc = database_prepare(database, statements[i], &database->statements[i]);
		if (rc < 0)
			return rc;
	}
	return 0;
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

/* Opens the file at path, which database takes. */
static int
open_file(struct database *database, bool exists)
{
	int rc = sqlite3_open_v2(
		database->path, &database->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc == SQLITE_OK) {
		sqlite3_extended_result_codes(database->handle, 1);
		sqlite3_wal_hook(database->handle, on_commit, database);
		sqlite3_busy_timeout(database->handle, BUSY_MS);
		rc = set_up(database, exists);
	}
	rc = database_error(database, rc);
	return rc < 0 ? rc : prepare_all(database);
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
		rc = checkpoint(database, SQLITE_CHECKPOINT_TRUNCATE);
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
	const char *directory = getenv("TMPDIR");
	char *path = xasprintf("%s/deferd-XXXXXX", directory && directory[0] == '/' ? directory : P_tmpdir);
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
	for (int i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(database->statements[i]);
	if (database->broken)
		sqlite3_db_config(database->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	int rc = sqlite3_close(database->handle);
	assert(rc == SQLITE_OK);
	/* Not before: closing a file drops all locks that SQLite has on it. */
	if (database->lock_fd >= 0)
		close(database->lock_fd);
	free(database->path);
	free(database);
}
