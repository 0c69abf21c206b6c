/* Judges changes: parent first, then the resource, its version, pending changes and unique values. */
#include "store/sqlite/resources/judge.h"

#include "store/sqlite/resources/removal.h"

#include <errno.h>

const struct id *
judge_parent_of(const struct store_change *change)
{
	return change->collection->parent ? &change->parent : NULL;
}

int
judge_find(struct statements *statements, const struct store_change *change, struct resource_row *ret_row)
{
	sqlite3_stmt *statement = statements->list[FIND];
	int rc = statements_ask(
		statements, FIND, "tIP", change->collection->name, &change->id, judge_parent_of(change));

	if (rc <= 0)
		return rc < 0 ? rc : -ENOENT;
	rc = resource_row_read(statement, ret_row);
	ret_row->pending = sqlite3_column_int(statement, RESOURCE_COLUMN_COUNT);
	sqlite3_reset(statement);
	return rc;
}

static int
judge_parent(struct statements *statements, const struct store_change *change)
{
	const char *parent = change->collection->parent;

	if (!parent)
		return 0;
	int rc = statements_ask(statements, FIND_PARENT, "tI", parent, &change->parent);
	if (rc <= 0)
		return rc < 0 ? rc : -ENOENT;
	int pending = sqlite3_column_int(statements->list[FIND_PARENT], 0);
	sqlite3_reset(statements->list[FIND_PARENT]);
	TRY(removal_look(statements, change->collection, &change->parent));
	return pending == STORE_DELETE && change->action == STORE_CREATE ? -EBUSY : 0;
}

static bool
is_expected(const struct store_change *change, uint64_t version)
{
	for (unsigned i = 0; i < change->expected_count; i++)
		if (change->expected[i] == version)
			return true;
	return change->expected_count == 0;
}

int
judge_unique(
	struct statements *statements, const struct store_change *change, char **values, int64_t sequence)
{
	char **names = change->collection->unique;

	for (size_t i = 0; values && names[i]; i++) {
		if (!values[i])
			continue;
		int rc = statements_ask(statements, HAS_VALUE, "tPtti", change->collection->name,
			judge_parent_of(change), names[i], values[i], sequence);
		if (rc < 0)
			return rc;
		sqlite3_reset(statements->list[HAS_VALUE]);
		if (rc == 1)
			return -EEXIST;
	}
	return 0;
}

int
judge_change(struct statements *statements, const struct store_change *change, bool at_once,
	struct resource_row *ret_row)
{
	int rc = judge_parent(statements, change);

	if (rc == 0 && change->action != STORE_CREATE)
		rc = judge_find(statements, change, ret_row);
	if (rc == 0 && change->action != STORE_CREATE && !is_expected(change, ret_row->resource.version))
		rc = -ESTALE;
	if (rc == 0 && ret_row->pending == STORE_DELETE)
		rc = change->action == STORE_DELETE ? -EALREADY : -EBUSY;
	if (rc == 0 && ret_row->pending != STORE_NONE && at_once)
		rc = -EAGAIN;
	if (rc == 0)
		rc = judge_unique(statements, change, change->unique, ret_row->resource.sequence);
	return rc;
}
