/* The SQL of the statements on resources, and the binding of their parameters. */
#include "store/sqlite/resources/statements.h"

#include "store/sqlite/resources/row.h"

#include <errno.h>
#include <stdarg.h>

#define CHANGE_IS_WHOLE "c.checksum = row_checksum(c.operation, c.resource, c.action, c.document)"

static const char *const sql[STATEMENT_COUNT] = {
	[FIND] = "SELECT " RESOURCE_COLUMNS ","
		 " (SELECT max(action) FROM resource_change c WHERE c.resource = r.sequence)"
		 " FROM resource r WHERE r.collection = ?1 AND r.id = ?2 AND r.parent = ?3",
	[FIND_PARENT] = "SELECT (SELECT max(action) FROM resource_change c WHERE c.resource = r.sequence)"
			" FROM resource r WHERE r.collection = ?1 AND r.id = ?2",
	[HAS_VALUE] = "SELECT resource FROM resource_value WHERE collection = ?1 AND parent = ?2"
		      " AND member = ?3 AND value = ?4 AND resource <> ?5",
	[HAS_REMOVAL] = "SELECT 1 FROM resource_removal LIMIT 1",
	[IS_REMOVED] = "SELECT 1 FROM resource_removal WHERE id = ?1",
	[FIND_ABOVE] = "SELECT parent FROM resource WHERE collection = ?1 AND id = ?2",
	[INSERT] = "INSERT INTO resource VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
		   " row_checksum(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10))",
	[UPDATE] = "UPDATE resource SET status = ?2, action = ?3, version = ?4, updated_ms = ?5,"
		   " status_message = ?6, document = ?7, checksum = row_checksum(collection, id, parent,"
		   " ?2, ?3, ?4, created_ms, ?5, ?6, ?7) WHERE sequence = ?1",
	[MARK] = "UPDATE resource SET status = ?2, action = ?3, status_message = ?4,"
		 " checksum = row_checksum(collection, id, parent, ?2, ?3, version, created_ms, updated_ms,"
		 " ?4, document) WHERE sequence = ?1",
	[ADD_VALUE] = "INSERT INTO resource_value VALUES (?1, ?2, ?3, ?4, ?5)",
	[REMOVE_VALUES] = "DELETE FROM resource_value WHERE resource = ?1",
	[COUNT] = "INSERT INTO resource_count VALUES (?1, ?2, ?3)"
		  " ON CONFLICT DO UPDATE SET count = count + ?3",
	[HAS_CHILD] = "SELECT 1 FROM resource WHERE parent = ?1 LIMIT 1",
	[FIND_CHILD] = "SELECT sequence, id FROM resource WHERE parent = ?1 LIMIT 1",
	[ADD_REMOVAL] = "INSERT INTO resource_removal VALUES (NULL, ?1, row_checksum(?1))",
	[FIND_REMOVAL] = "SELECT id FROM resource_removal ORDER BY sequence DESC LIMIT 1",
	[END_REMOVAL] = "DELETE FROM resource_removal WHERE id = ?1",
	[REMOVE_ONE] = "DELETE FROM resource WHERE sequence = ?1",
	[REMOVE_CHANGES] = "DELETE FROM resource_change WHERE resource = ?1",
	[REMOVE_COUNTS] = "DELETE FROM resource_count WHERE parent = ?1",
	[ADD_CHANGE] = "INSERT INTO resource_change VALUES (?1, ?2, ?3, ?4, row_checksum(?1, ?2, ?3, ?4))",
	[FIND_CHANGE] = "SELECT " RESOURCE_COLUMNS ", c.document, " CHANGE_IS_WHOLE " FROM resource_change c"
			" JOIN resource r ON r.sequence = c.resource WHERE c.operation = ?1",
	[REMOVE_CHANGE] = "DELETE FROM resource_change WHERE operation = ?1",
	[FIND_OTHERS] = "SELECT operation, document, " CHANGE_IS_WHOLE " FROM resource_change c"
			" WHERE resource = ?1 AND operation > ?2 ORDER BY operation LIMIT 1",
	[UPDATE_CHANGE] = "UPDATE resource_change SET document = ?2, checksum ="
			  " row_checksum(operation, resource, action, ?2) WHERE operation = ?1",
	[FIND_PENDING] = "SELECT c.action, r.collection, r.id, r.parent, c.document, r.version,"
			 " r.created_ms, r.updated_ms FROM resource_change c"
			 " JOIN resource r ON r.sequence = c.resource WHERE c.operation = ?1",
	[FIND_DAMAGED] = "SELECT sequence FROM resource WHERE checksum <> row_checksum(collection, id,"
			 " parent, status, action, version, created_ms, updated_ms, status_message, document)"
			 " LIMIT 1",
	[FIND_DAMAGED_CHANGE] =
		"SELECT operation FROM resource_change c WHERE NOT (" CHANGE_IS_WHOLE ") LIMIT 1",
	[FIND_DAMAGED_REMOVAL] =
		"SELECT sequence FROM resource_removal WHERE checksum <> row_checksum(id) LIMIT 1",
};

int
statements_prepare(struct statements *statements, struct database *database)
{
	statements->database = database;
	for (int i = 0; i < STATEMENT_COUNT; i++)
		TRY(database_prepare(database, sql[i], &statements->list[i]));
	return 0;
}

int
statements_prepare_reads(struct statements *statements, sqlite3 *handle)
{
	for (int i = 0; i < STATEMENT_READ_COUNT; i++) {
		int rc = sqlite3_prepare_v3(
			handle, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &statements->list[i], NULL);
		if (rc != SQLITE_OK)
			return (rc & 0xff) == SQLITE_NOMEM ? -ENOMEM : -EIO;
	}
	return 0;
}

void
statements_finalize(struct statements *statements)
{
	for (int i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(statements->list[i]);
}

bool
statements_is_refusal(int error)
{
	static const int refusals[] = {-ENOENT, -ESTALE, -EEXIST, -EBUSY, -EALREADY, -EAGAIN};

	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
		if (error == refusals[i])
			return true;
	return false;
}

int
statements_hide(int error)
{
	return statements_is_refusal(error) ? -EIO : error;
}

static int
fail(const struct statements *statements, int result_code)
{
	if (result_code == SQLITE_OK || result_code == SQLITE_DONE)
		return 0;
	return statements->database ? statements_hide(database_error(statements->database, result_code))
				    : -EIO;
}

static int
bind(struct statements *statements, enum statement which, const char *format, va_list args)
{
	sqlite3_stmt *statement = statements->list[which];
	int rc = SQLITE_OK;

	for (int i = 1; format[i - 1] && rc == SQLITE_OK; i++) {
		const void *bytes;
		switch (format[i - 1]) {
		case 'i':
			rc = sqlite3_bind_int64(statement, i, va_arg(args, int64_t));
			break;
		case 't':
			rc = sqlite3_bind_text(statement, i, va_arg(args, const char *), -1, SQLITE_STATIC);
			break;
		default:
			bytes = va_arg(args, const void *);
			rc = sqlite3_bind_blob(statement, i, bytes ? bytes : "",
				bytes ? sizeof(struct id) : 0, SQLITE_STATIC);
		}
	}
	return fail(statements, rc);
}

int
statements_run(struct statements *statements, enum statement which, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int rc = bind(statements, which, format, args);
	va_end(args);
	return rc < 0 ? rc : statements_hide(database_run(statements->database, statements->list[which]));
}

int
statements_ask(struct statements *statements, enum statement which, const char *format, ...)
{
	sqlite3_stmt *statement = statements->list[which];
	va_list args;

	va_start(args, format);
	int rc = bind(statements, which, format, args);
	va_end(args);
	if (rc < 0)
		return rc;
	int step = sqlite3_step(statement);
	if (step == SQLITE_ROW)
		return 1;
	sqlite3_reset(statement);
	return fail(statements, step);
}
