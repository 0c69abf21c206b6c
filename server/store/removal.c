/*
 * Removals: see removal.h.
 *
 * resource_removal is a stack: its rows are ids whose resource is gone, or goes when nothing belongs to it any more.  Of the last one a step
 * removes what belongs to it; where that has something of its own, its id is added and comes first.  So the stack is never deeper than
 * collections are nested, for each resource that was deleted.
 *
 * Whether something is hidden is found from below: its parent, or what that belongs to, is on the stack.
 */
#include "store/removal.h"

#include <errno.h>

static int
remove_one(struct statements *statements, const struct id *id, int64_t sequence)
{
	TRY(statements_run(statements, REMOVE_VALUES, "i", sequence));
	TRY(statements_run(statements, REMOVE_CHANGES, "i", sequence));
	TRY(statements_run(statements, REMOVE_COUNTS, "I", id));
	return statements_run(statements, REMOVE_ONE, "i", sequence);
}

/* 1 if something belongs to the resource of that id, 0, -errno. */
static int
has_child(struct statements *statements, const struct id *id)
{
	int rc = statements_ask(statements, HAS_CHILD, "I", id);

	sqlite3_reset(statements->list[HAS_CHILD]);
	return rc;
}

/* Removes one that belongs to parent, or has it come first; or the parent from the stack, if that was the last. */
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

/* As many times, or until there is nothing more. */
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

/* Reads what the resource belongs to; 0 if there is no such, or it belongs to none. */
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
