/* Makes stored unique values canonical. */
#include "store/sqlite/resources/canonical.h"

#include "common/cleanup.h"
#include "common/json/canonical.h"
#include "common/json/json.h"

/* The SQL function json_canonical(text): the canonical text, or text itself if it is not JSON. */
static void
json_canonical(sqlite3_context *context, int count, sqlite3_value **values)
{
	CLEANUP(cleanup_json) struct json_object *value = NULL;
	CLEANUP(text_fini) struct text text = {0};
	struct json_mistake mistake;
	const char *given = (const char *)sqlite3_value_text(values[0]);

	(void)count;
	if (!given || json_parse(given, (size_t)sqlite3_value_bytes(values[0]), &value, &mistake) < 0) {
		sqlite3_result_value(context, values[0]);
		return;
	}
	json_add_canonical(&text, value);
	sqlite3_result_text(context, text.data, (int)text.len, SQLITE_TRANSIENT);
}

/* Whether there are values of an earlier version: 1, 0, -errno.  Registers json_canonical if there are. */
static int
prepare(struct database *database)
{
	sqlite3_stmt *statement = NULL;
	int rc = database_prepare(database, "SELECT 1 FROM resource_value_text", &statement);

	if (rc < 0)
		return rc;
	int step = sqlite3_step(statement);
	if (step == SQLITE_ROW)
		rc = sqlite3_create_function(sqlite3_db_handle(statement), "json_canonical", 1,
			SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, json_canonical, NULL, NULL);
	else
		rc = step;
	sqlite3_finalize(statement);
	rc = rc == SQLITE_DONE ? 0 : database_error(database, rc);
	return rc < 0 ? rc : step == SQLITE_ROW;
}

/* Strings are canonical already.  Of values that are equal now one row becomes canonical, and is enough to refuse
 * another one. */
static int
upgrade(struct database *database)
{
	int rc = database_begin(database);

	if (rc == 0)
		rc = database_execute(database,
			"UPDATE OR IGNORE resource_value SET value = json_canonical(value)"
			" WHERE value NOT GLOB '\"*'");
	if (rc == 0)
		rc = database_execute(database, "DELETE FROM resource_value_text");
	if (rc == 0)
		rc = database_commit(database);
	if (rc < 0)
		database_rollback(database);
	return rc;
}

int
canonical_upgrade(struct database *database)
{
	int rc = prepare(database);

	return rc > 0 ? upgrade(database) : rc;
}
