/*
 * The schema and its versions.  PRAGMA user_version counts the steps that a database has been through.  A
 * released step is never changed; changes are new steps.
 *
 * operation: one row for each operation.  The key is the order of acceptance, so new rows are appended: with
 * random keys every accept changed a page of its own and cost ten times as much.  Operations are found by
 * nothing else, so there is no index.
 *
 * resource: one row for each resource of a collection.  The key is the order of creation; parent is empty if
 * there is none; document has the client's members; checksum covers all columns but sequence. resource_value:
 * the values of unique members, as canonical text. resource_count: the number of resources in each list. resource_change: one
 * row for each operation that must still carry out a change, with the document as that change left it.
 * resource_removal: ids of deleted resources whose dependents must still be removed (removal.h).
 *
 * resource_value_text: has a row while resource_value has values of a version that stored plain JSON text.
 *
 * probe: has a row for a moment when the writer tries whether the disk has room again.
 */
#include "store/sqlite/disk/schema.h"

#include "common/cleanup.h"
#include "common/text.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char *const steps[] = {
	"CREATE TABLE operation ("
	" sequence INTEGER PRIMARY KEY,"
	" id BLOB NOT NULL,"
	" route TEXT NOT NULL,"
	" style TEXT NOT NULL,"
	" principal TEXT,"
	" accepted_ms INTEGER NOT NULL,"
	" idempotency_key TEXT,"
	" key_digest BLOB,"
	" state INTEGER NOT NULL,"
	" started_ms INTEGER NOT NULL,"
	" ended_ms INTEGER NOT NULL,"
	" forget_ms INTEGER NOT NULL,"
	" input BLOB,"
	" body BLOB,"
	" body_file TEXT,"
	" body_len INTEGER,"
	" ended_as TEXT,"
	" status INTEGER NOT NULL,"
	" fields BLOB,"
	" result BLOB,"
	" result_file TEXT,"
	" result_len INTEGER,"
	" detail TEXT,"
	" pid INTEGER NOT NULL,"
	" pid_start_time INTEGER NOT NULL,"
	" checksum INTEGER NOT NULL"
	") STRICT;"
	"CREATE TABLE probe (id INTEGER PRIMARY KEY, filler BLOB NOT NULL) STRICT;",
	"CREATE TABLE resource ("
	" sequence INTEGER PRIMARY KEY,"
	" collection TEXT NOT NULL,"
	" id BLOB NOT NULL,"
	" parent BLOB NOT NULL,"
	" status INTEGER NOT NULL,"
	" action INTEGER NOT NULL,"
	" version INTEGER NOT NULL,"
	" created_ms INTEGER NOT NULL,"
	" updated_ms INTEGER NOT NULL,"
	" status_message TEXT,"
	" document TEXT NOT NULL"
	") STRICT;"
	"CREATE UNIQUE INDEX resource_by_id ON resource (collection, id);"
	"CREATE INDEX resource_by_parent ON resource (parent, collection, sequence);"
	"CREATE TABLE resource_value ("
	" collection TEXT NOT NULL,"
	" parent BLOB NOT NULL,"
	" member TEXT NOT NULL,"
	" value TEXT NOT NULL,"
	" resource INTEGER NOT NULL,"
	" PRIMARY KEY (collection, parent, member, value)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX resource_value_by_resource ON resource_value (resource);"
	"CREATE TABLE resource_count ("
	" parent BLOB NOT NULL,"
	" collection TEXT NOT NULL,"
	" count INTEGER NOT NULL,"
	" PRIMARY KEY (parent, collection)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE resource_change ("
	" operation INTEGER PRIMARY KEY,"
	" resource INTEGER NOT NULL,"
	" action INTEGER NOT NULL,"
	" document TEXT NOT NULL"
	") STRICT;"
	"CREATE INDEX resource_change_by_resource ON resource_change (resource, operation);",
	"ALTER TABLE resource ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;"
	"UPDATE resource SET checksum = row_checksum(collection, id, parent, status, action, version,"
	" created_ms, updated_ms, status_message, document);",
	"CREATE TABLE resource_removal ("
	" sequence INTEGER PRIMARY KEY,"
	" id BLOB NOT NULL UNIQUE,"
	" checksum INTEGER NOT NULL"
	") STRICT;"
	"ALTER TABLE resource_change ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;"
	"UPDATE resource_change SET checksum = row_checksum(operation, resource, action, document);",
	("CREATE TABLE resource_value_text (id INTEGER PRIMARY KEY) STRICT;"
	 "INSERT INTO resource_value_text SELECT 1 WHERE EXISTS (SELECT 1 FROM resource_value);"),
};

int
schema_version(void)
{
	return COUNT(steps);
}

static int
read_version(sqlite3 *handle, int *ret_version)
{
	sqlite3_stmt *statement;
	int rc = sqlite3_prepare_v2(handle, "PRAGMA user_version", -1, &statement, NULL);

	if (rc != SQLITE_OK)
		return rc;
	if (sqlite3_step(statement) == SQLITE_ROW)
		*ret_version = sqlite3_column_int(statement, 0);
	return sqlite3_finalize(statement);
}

static int
take_step(sqlite3 *handle, int version)
{
	CLEANUP_FREE char *sql =
		xasprintf("BEGIN; %s PRAGMA user_version = %d; COMMIT", steps[version], version + 1);
	int rc = sqlite3_exec(handle, sql, NULL, NULL, NULL);

	if (rc != SQLITE_OK && !sqlite3_get_autocommit(handle))
		sqlite3_exec(handle, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

int
schema_upgrade(sqlite3 *handle)
{
	int version = 0;
	int rc = read_version(handle, &version);

	if (rc == SQLITE_OK && (version < 0 || version > schema_version()))
		return SQLITE_SCHEMA;
	for (; rc == SQLITE_OK && version < schema_version(); version++)
		rc = take_step(handle, version);
	return rc;
}
