/*
 * How removals proceed and how hidden resources are recognized.
 *
 * resource_removal is a stack.  Its rows are ids of resources that are deleted, or will be once they have no
 * children.  A step removes children of the top one; a child that has children of its own is pushed instead,
 * and so goes first.  The stack is therefore never deeper than the nesting of collections, for each resource
 * that was deleted.
 *
 * Whether a resource is hidden is found from below: its parent, or one above that, is on the stack.
 */
#include "store/sqlite/resources/removal.h"

#include <errno.h>

static int
remove_one(struct statements *statements, const struct id *id, int64_t sequence)
{
	TRY(statements_run(statements, REMOVE_VALUES, "i", sequence));
	TRY(statements_run(statements, REMOVE_CHANGES, "i", sequence));
	TRY(statements_run(statements, REMOVE_COUNTS, "I", id));
	return statements_run(statements, REMOVE_ONE, "i", sequence);
}

/* 1 if the resource with that id has a child, 0 if not, -errno. */
static int
has_child(struct statements *statements, const struct id *id)
{
	int rc = statements_ask(statements, HAS_CHILD, "I", id);

	sqlite3_reset(statements->list[HAS_CHILD]);
	return rc;
}

/* Removes one child of parent, or pushes it if it has children; pops parent if there was no child left. */
static int
remove_next(struct statements *statements, const struct id *parent)
{
	sqlite3_stmt *statement = statements->list[FIND_CHILD];
	int rc = statements_ask(statements, FIND_CHILD, "I", parent);
	struct id id = {0};

	if (rc <= 0)
		return rc < 0 ? rc : statements_run(statements, END_REMOVAL, "I", parent);
	int64_t sequence = sqlite3_column_int64(statement, 0);
	resource_row_id(statement, 1, &id);
	sqlite3_reset(statement);
	rc = has_child(statements, &id);
	if (rc < 0)
		return rc;
	return rc ? statements_run(statements, ADD_REMOVAL, "I", &id) : remove_one(statements, &id, sequence);
}

/* Repeats that, at most times often, until nothing is left. */
static int
remove_some(struct statements *statements, int times, bool *ret_more)
{
	sqlite3_stmt *statement = statements->list[FIND_REMOVAL];
	struct id parent = {0};

	for (; times > 0; times--) {
		int rc = statements_ask(statements, FIND_REMOVAL, "");
		if (rc < 0)
			return rc;
		if (rc == 0) {
			*ret_more = false;
			return 0;
		}
		resource_row_id(statement, 0, &parent);
		sqlite3_reset(statement);
		TRY(remove_next(statements, &parent));
	}
	*ret_more = true;
	return 0;
}

int
removal_step(struct statements *statements, bool *ret_more)
{
	return remove_some(statements, REMOVAL_STEP, ret_more);
}

int
removal_make(struct statements *statements, const struct resource *resource, bool *ret_others)
{
	int others = has_child(statements, &resource->id);
	bool more;

	if (others < 0)
		return others;
	TRY(remove_one(statements, &resource->id, resource->sequence));
	if (others) {
		TRY(statements_run(statements, ADD_REMOVAL, "I", &resource->id));
		TRY(remove_some(statements, REMOVAL_AT_ONCE, &more));
	}
	*ret_others = others;
	return 0;
}

/* Replaces *id by the id of its parent; 0 if the resource does not exist or has no parent. */
static int
climb(struct statements *statements, const char *collection, struct id *id)
{
	sqlite3_stmt *statement = statements->list[FIND_ABOVE];
	int rc = statements_ask(statements, FIND_ABOVE, "tI", collection, id);

	if (rc > 0 && sqlite3_column_bytes(statement, 0) == 0)
		rc = 0;
	if (rc > 0)
		resource_row_id(statement, 0, id);
	sqlite3_reset(statement);
	return rc;
}

static int
ask(struct statements *statements, enum statement which, const struct id *id)
{
	int rc = statements_ask(statements, which, id ? "I" : "", id);

	sqlite3_reset(statements->list[which]);
	return rc;
}

int
removal_look(
	struct statements *statements, const struct store_collection *collection, const struct id *parent)
{
	const char *name = collection->parent;
	int rc = name ? ask(statements, HAS_REMOVAL, NULL) : 0;
	struct id id = *parent;

	for (char **above = collection->above; rc > 0 && name; name = above ? *above++ : NULL) {
		rc = ask(statements, IS_REMOVED, &id);
		if (rc != 0)
			return rc < 0 ? rc : -ENOENT;
		rc = climb(statements, name, &id);
	}
	if (rc > 0)
		rc = ask(statements, IS_REMOVED, &id);
	return rc > 0 ? -ENOENT : rc;
}
