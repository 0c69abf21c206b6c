/* Creates and drops indexes on members of documents. */
#include "store/sqlite/resources/indexes.h"

#include "store/sqlite/resources/listing.h"
#include "store/sqlite/resources/statements.h"

#include "common/cleanup.h"

#include <string.h>

static void
free_sql(char **sql)
{
	sqlite3_free(*sql);
}

static void
finalize(sqlite3_stmt **statement)
{
	sqlite3_finalize(*statement);
}

static int
execute(struct database *database, const char *sql)
{
	return statements_hide(database_execute(database, sql));
}

static int
make(struct database *database, const struct store_collection *collection, const char *member)
{
	CLEANUP(text_fini) struct text name = {0};
	CLEANUP_FREE char *value = listing_sort_value(member);

	if (!value)
		return 0;
	listing_index_name(&name, collection->name, member);
	CLEANUP(free_sql)
	char *sql = sqlite3_mprintf(
		"CREATE INDEX IF NOT EXISTS \"%w\" ON resource (parent, %s) WHERE collection = %Q", name.data,
		value, collection->name);
	return execute(database, sql);
}

/* Whether the collection lists an index of that name. */
static bool
is_wanted(const struct store_collection *collection, const char *name)
{
	bool wanted = false;

	for (char **member = collection->index; *member && !wanted; member++) {
		CLEANUP(text_fini) struct text its_name = {0};
		listing_index_name(&its_name, collection->name, *member);
		wanted = strcmp(its_name.data, name) == 0;
	}
	return wanted;
}

/* Finds an index of the collection that it does not list; the caller frees the name; NULL if there is none.
 * The index's own SQL shows which collection it belongs to, because names of collections and members may
 * contain spaces. */
static int
find_unwanted(struct database *database, const struct store_collection *collection, char **ret_name)
{
	CLEANUP(finalize) sqlite3_stmt *statement = NULL;
	CLEANUP(free_sql) char *end = sqlite3_mprintf(" WHERE collection = %Q", collection->name);
	int step, rc = database_prepare(database,
			  "SELECT name FROM sqlite_schema WHERE type = 'index'"
			  " AND name GLOB 'resource_by_member *' AND substr(sql, -length(?1)) = ?1",
			  &statement);

	if (rc < 0)
		return statements_hide(rc);
	*ret_name = NULL;
	sqlite3_bind_text(statement, 1, end, -1, SQLITE_STATIC);
	while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(statement, 0);
		if (is_wanted(collection, name))
			continue;
		*ret_name = xstrdup(name);
		return 0;
	}
	return statements_hide(database_error(database, step));
}

static int
drop(struct database *database, const char *name)
{
	CLEANUP(free_sql) char *sql = sqlite3_mprintf("DROP INDEX \"%w\"", name);

	return execute(database, sql);
}

int
indexes_make(struct database *database, const struct store_collection *collection)
{
	for (;;) {
		CLEANUP_FREE char *unwanted = NULL;
		TRY(find_unwanted(database, collection, &unwanted));
		if (!unwanted)
			break;
		TRY(drop(database, unwanted));
	}
	for (char **member = collection->index; *member; member++)
		TRY(make(database, collection, *member));
	return 0;
}
