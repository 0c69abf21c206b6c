/*
 * The rows of operations, one statement for each verb.  Every row has a checksum of all its values; an update
 * computes it from the new values and those in the row.
 */
#include "store/sqlite/rows.h"

#include "store/sqlite/disk/checksum.h"

#include "common/cleanup.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Constant columns first, then the others; reading and the checksum use this order. */
#define COLUMNS_FIXED "sequence, id, route, style, principal, accepted_ms, idempotency_key, key_digest"
#define COLUMNS_BODY "body, body_file, body_len"
#define COLUMNS_RESULT "result, result_file, result_len"
#define COLUMNS_PROCESS "pid, pid_start_time"
#define COLUMNS_END "ended_as, status"
#define COLUMNS_DETAIL "fields, " COLUMNS_RESULT ", detail"
#define COLUMNS_TIMES "started_ms, ended_ms, forget_ms"
#define COLUMNS \
	COLUMNS_FIXED ", state, " COLUMNS_TIMES ", input, " COLUMNS_BODY ", " COLUMNS_END \
		      ", " COLUMNS_DETAIL ", " COLUMNS_PROCESS

#define CHECKSUM(state, times, input_and_body, end, detail, process) \
	"row_checksum(" COLUMNS_FIXED ", " state ", " times ", " input_and_body ", " end ", " detail \
	", " process ")"
#define WHERE "WHERE sequence = ?1 AND id = ?2"

enum {
	COLUMN_SEQUENCE,
	COLUMN_ID,
	COLUMN_ROUTE,
	COLUMN_STYLE,
	COLUMN_PRINCIPAL,
	COLUMN_ACCEPTED_MS,
	COLUMN_KEY,
	COLUMN_KEY_DIGEST,
	COLUMN_STATE,
	COLUMN_STARTED_MS,
	COLUMN_ENDED_MS,
	COLUMN_FORGET_MS,
	COLUMN_INPUT,
	COLUMN_BODY,
	COLUMN_BODY_FILE,
	COLUMN_BODY_LEN,
	COLUMN_ENDED_AS,
	COLUMN_STATUS,
	COLUMN_FIELDS,
	COLUMN_RESULT,
	COLUMN_RESULT_FILE,
	COLUMN_RESULT_LEN,
	COLUMN_DETAIL,
	COLUMN_PID,
	COLUMN_PID_START_TIME,
	COLUMN_CHECKSUM,
	COLUMN_COUNT,
};

static const char sql_load[] = "SELECT " COLUMNS ", checksum FROM operation ORDER BY sequence";

static const char *const sql[STORE_VERB_COUNT] = {
	[STORE_ACCEPT] =
		"INSERT INTO operation VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, 0, ?11, ?12,"
		" ?13, ?14, NULL, 0, NULL, NULL, NULL, NULL, NULL, 0, 0,"
		" row_checksum(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, 0, ?11, ?12,"
		" ?13, ?14, NULL, 0, NULL, NULL, NULL, NULL, NULL, 0, 0))",
	[STORE_BEGIN] = "UPDATE operation SET state = 1, started_ms = ?3, checksum = " CHECKSUM("1",
		"?3, ended_ms, forget_ms", "input, " COLUMNS_BODY, COLUMNS_END, COLUMNS_DETAIL,
		COLUMNS_PROCESS) WHERE,
	[STORE_PROCESS] = "UPDATE operation SET pid = ?3, pid_start_time = ?4, checksum = " CHECKSUM(
		"state", COLUMNS_TIMES, "input, " COLUMNS_BODY, COLUMNS_END, COLUMNS_DETAIL, "?3, ?4") WHERE,
	[STORE_END] =
		"UPDATE operation SET state = 2, started_ms = ?12, ended_ms = ?3, forget_ms = ?4, ended_as = "
		"?5, status = ?6,"
		" fields = ?7, result = ?8, result_file = ?9, result_len = ?10, detail = ?11, input = NULL,"
		" body = NULL, body_file = NULL, body_len = NULL, pid = 0, pid_start_time = 0,"
		" checksum = " CHECKSUM("2", "?12, ?3, ?4", "NULL, NULL, NULL, NULL", "?5, ?6",
			"?7, ?8, ?9, ?10, ?11", "0, 0") WHERE,
	[STORE_EXPIRE] = "UPDATE operation SET state = 3, forget_ms = ?3, fields = NULL, result = NULL,"
			 " result_file = NULL, result_len = NULL, detail = NULL, checksum = " CHECKSUM("3",
				 "started_ms, ended_ms, ?3", "input, " COLUMNS_BODY, COLUMNS_END,
				 "NULL, NULL, NULL, NULL, NULL", COLUMNS_PROCESS) WHERE,
	[STORE_FORGET] = ("DELETE FROM operation " WHERE),
};

struct rows {
	struct database *database;
	sqlite3_stmt *statements[STORE_VERB_COUNT];
};

/* Binds the parameters in order, and keeps the first failure. */
struct binder {
	sqlite3_stmt *statement;
	int index;
	int rc;
};

static void
note(struct binder *binder, int rc)
{
	if (binder->rc == SQLITE_OK)
		binder->rc = rc;
}

static void
bind_int(struct binder *binder, int64_t value)
{
	note(binder, sqlite3_bind_int64(binder->statement, ++binder->index, value));
}

/* NULL is bound as NULL, here and below. */
static void
bind_text(struct binder *binder, const char *text)
{
	note(binder, sqlite3_bind_text(binder->statement, ++binder->index, text, -1, SQLITE_STATIC));
}

static void
bind_bytes(struct binder *binder, const void *data, size_t len)
{
	note(binder, sqlite3_bind_blob64(binder->statement, ++binder->index, data, len, SQLITE_STATIC));
}

/* The three columns of a body or a result. */
static void
bind_blob(struct binder *binder, const struct blob *blob, const struct blob *file)
{
	if (file) {
		bind_bytes(binder, NULL, 0);
		bind_text(binder, blob_name(file));
		bind_int(binder, (int64_t)blob_len(file));
		return;
	}
	bind_bytes(binder, blob ? blob_data(blob) : NULL, blob_len(blob));
	bind_text(binder, NULL);
	bind_bytes(binder, NULL, 0);
}

static void
bind_accept(struct binder *binder, const struct store_operation *operation, const struct blob *file)
{
	bind_text(binder, operation->route);
	bind_text(binder, operation->style);
	bind_text(binder, operation->principal);
	bind_int(binder, operation->accepted_ms);
	bind_text(binder, operation->key);
	bind_bytes(binder, operation->key ? operation->key_digest : NULL, sizeof operation->key_digest);
	bind_int(binder, operation->state);
	bind_int(binder, operation->started_ms);
	bind_bytes(binder, operation->input, operation->input_len);
	bind_blob(binder, operation->body, file);
}

static void
bind_begin(struct binder *binder, const struct store_operation *operation, const struct blob *file)
{
	bind_int(binder, operation->started_ms);
}

static void
bind_process(struct binder *binder, const struct store_operation *operation, const struct blob *file)
{
	bind_int(binder, operation->pid);
	bind_int(binder, (int64_t)operation->pid_start_time);
}

static void
bind_end(struct binder *binder, const struct store_operation *operation, const struct blob *file)
{
	bind_int(binder, operation->ended_ms);
	bind_int(binder, operation->forget_ms);
	bind_text(binder, operation->end);
	bind_int(binder, operation->status);
	bind_bytes(binder, operation->fields, operation->fields_len);
	bind_blob(binder, operation->result, file);
	bind_text(binder, operation->detail);
	bind_int(binder, operation->started_ms);
}

static void
bind_expire(struct binder *binder, const struct store_operation *operation, const struct blob *file)
{
	bind_int(binder, operation->forget_ms);
}

static void
bind_forget(struct binder *binder, const struct store_operation *operation, const struct blob *file)
{
}

static void (*const bind[STORE_VERB_COUNT])(
	struct binder *binder, const struct store_operation *operation, const struct blob *file) = {
	[STORE_ACCEPT] = bind_accept,
	[STORE_BEGIN] = bind_begin,
	[STORE_PROCESS] = bind_process,
	[STORE_END] = bind_end,
	[STORE_EXPIRE] = bind_expire,
	[STORE_FORGET] = bind_forget,
};

int
rows_open(struct database *database, struct rows **ret_rows)
{
	struct rows *rows = xcalloc(1, sizeof *rows);

	rows->database = database;
	for (int i = 0; i < STORE_VERB_COUNT; i++) {
		if (!sql[i])
			continue; /* not a verb of an operation */
		int rc = database_prepare(database, sql[i], &rows->statements[i]);
		if (rc < 0) {
			rows_close(rows);
			return rc;
		}
	}
	*ret_rows = rows;
	return 0;
}

void
rows_close(struct rows *rows)
{
	if (!rows)
		return;
	for (int i = 0; i < STORE_VERB_COUNT; i++)
		sqlite3_finalize(rows->statements[i]);
	free(rows);
}

int
rows_write(struct rows *rows, enum store_verb verb, const struct store_operation *operation,
	const struct blob *file)
{
	struct binder binder = {.statement = rows->statements[verb]};

	bind_int(&binder, (int64_t)operation->sequence);
	bind_bytes(&binder, operation->id.bytes, sizeof operation->id.bytes);
	bind[verb](&binder, operation, file);
	if (binder.rc != SQLITE_OK)
		return database_error(rows->database, binder.rc);
	int rc = database_run(rows->database, binder.statement);
	if (rc == 0 && database_changes(rows->database) == 0)
		return -ENOENT;
	return rc;
}

/* One load of all rows. */
struct load {
	sqlite3_stmt *statement;
	sqlite3_value *values[COLUMN_COUNT]; /* of the current row */
	struct spool *spool;
	struct store_operation operation; /* made from values */
	char *why;			  /* the reason of a failure; NULL: none */
};

static const char *
text_at(const struct load *load, int column)
{
	return (const char *)sqlite3_value_text(load->values[column]);
}

static int64_t
int_at(const struct load *load, int column)
{
	return sqlite3_value_int64(load->values[column]);
}

static bool
is_null(const struct load *load, int column)
{
	return sqlite3_value_type(load->values[column]) == SQLITE_NULL;
}

/* SQLite returns NULL for an empty blob; this returns "" so that NULL means no value. */
static const char *
bytes_at(const struct load *load, int column, size_t *ret_len)
{
	const char *data = sqlite3_value_blob(load->values[column]);

	*ret_len = (size_t)sqlite3_value_bytes(load->values[column]);
	return data || is_null(load, column) ? data : "";
}

/* Copies a column of a fixed length.  -EINVAL if its length differs. */
static int
copy_at(const struct load *load, int column, void *ret_data, size_t len)
{
	size_t found;
	const char *data = bytes_at(load, column, &found);

	if (found != len)
		return -EINVAL;
	memcpy(ret_data, data, len);
	return 0;
}

static int
damaged(struct load *load)
{
	load->why =
		xasprintf("the row of operation %lld is damaged", (long long)int_at(load, COLUMN_SEQUENCE));
	return -EINVAL;
}

/* Reads the body or the result from the three columns that begin at column. */
static int
read_blob(struct load *load, int column, enum spool_kind kind, struct blob **ret_blob)
{
	const char *name = text_at(load, column + 1);
	struct blob *file;
	size_t len;

	if (!name) {
		const char *data = bytes_at(load, column, &len);
		*ret_blob = data ? blob_new(data, len) : NULL;
		return 0;
	}
	int rc = spool_adopt(
		load->spool, load->operation.sequence, kind, name, (uint64_t)int_at(load, column + 2), &file);
	if (rc < 0) {
		load->why = xasprintf("the file %s of operation %llu is not in the spool as it was left: %s",
			name, (unsigned long long)load->operation.sequence, strerror(-rc));
		return rc == -ENOENT ? -EINVAL : rc;
	}
	*ret_blob = blob_ref(file);
	return 0;
}

static void
read_columns(struct load *load, struct store_operation *operation)
{
	operation->sequence = (uint64_t)int_at(load, COLUMN_SEQUENCE);
	operation->route = text_at(load, COLUMN_ROUTE);
	operation->style = text_at(load, COLUMN_STYLE);
	operation->principal = text_at(load, COLUMN_PRINCIPAL);
	operation->accepted_ms = int_at(load, COLUMN_ACCEPTED_MS);
	operation->started_ms = int_at(load, COLUMN_STARTED_MS);
	operation->ended_ms = int_at(load, COLUMN_ENDED_MS);
	operation->forget_ms = int_at(load, COLUMN_FORGET_MS);
	operation->key = text_at(load, COLUMN_KEY);
	operation->input = bytes_at(load, COLUMN_INPUT, &operation->input_len);
	operation->end = text_at(load, COLUMN_ENDED_AS);
	operation->status = (int)int_at(load, COLUMN_STATUS);
	operation->fields = bytes_at(load, COLUMN_FIELDS, &operation->fields_len);
	operation->detail = text_at(load, COLUMN_DETAIL);
	operation->pid = (pid_t)int_at(load, COLUMN_PID);
	operation->pid_start_time = (uint64_t)int_at(load, COLUMN_PID_START_TIME);
}

static int
read_row(struct load *load)
{
	struct store_operation *operation = &load->operation;
	int64_t state = int_at(load, COLUMN_STATE);

	if (checksum_of(load->values, COLUMN_CHECKSUM) != (uint64_t)int_at(load, COLUMN_CHECKSUM) ||
		state < STORE_QUEUED || state > STORE_TOMBSTONE)
		return damaged(load);
	operation->state = (enum store_state)state;
	read_columns(load, operation);
	if (!operation->route || !operation->style || !operation->end != (state < STORE_ENDED))
		return damaged(load);
	if (copy_at(load, COLUMN_ID, operation->id.bytes, sizeof operation->id.bytes) < 0)
		return damaged(load);
	if (operation->key &&
		copy_at(load, COLUMN_KEY_DIGEST, operation->key_digest, sizeof operation->key_digest) < 0)
		return damaged(load);
	int rc = read_blob(load, COLUMN_BODY, SPOOL_BODY, &operation->body);
	return rc < 0 ? rc : read_blob(load, COLUMN_RESULT, SPOOL_RESULT, &operation->result);
}

static int
load_row(struct load *load, store_load_fn fn, void *arg)
{
	for (int i = 0; i < COLUMN_COUNT; i++)
		load->values[i] = sqlite3_column_value(load->statement, i);
	load->operation = (struct store_operation){0};
	int rc = read_row(load);

	if (rc == 0)
		fn(arg, &load->operation);
	blob_unref(load->operation.body);
	blob_unref(load->operation.result);
	return rc;
}

int
rows_load(struct rows *rows, struct spool *spool, store_load_fn fn, void *arg, char **ret_why)
{
	struct load load = {.spool = spool};
	int rc = database_prepare(rows->database, sql_load, &load.statement);
	int step = SQLITE_DONE;

	while (rc == 0 && (step = sqlite3_step(load.statement)) == SQLITE_ROW)
		rc = load_row(&load, fn, arg);
	if (rc == 0)
		rc = database_error(rows->database, step);
	if (rc < 0)
		*ret_why = load.why ? load.why
				    : xasprintf("the database cannot be read: %s",
					      database_message(rows->database));
	sqlite3_finalize(load.statement);
	return rc;
}
