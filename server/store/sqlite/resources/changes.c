/*
 * How a change is judged and made.  A change is judged completely before anything is written, so that a
 * refused one leaves its transaction as it was and the others of the group go on.
 */
#include "store/sqlite/resources/changes.h"

#include "store/sqlite/resources/canonical.h"
#include "store/sqlite/resources/indexes.h"
#include "store/sqlite/resources/judge.h"
#include "store/sqlite/resources/removal.h"
#include "store/sqlite/resources/settlement.h"
#include "store/sqlite/resources/write.h"

#include "common/cleanup.h"

#include <errno.h>
#include <stdlib.h>

struct changes {
	struct statements statements;
	struct resource_counts counts; /* of the current transaction */
	bool is_removing;	       /* see changes_is_removing */
};

int
changes_open(struct database *database, struct changes **ret_changes)
{
	struct changes *changes = xcalloc(1, sizeof *changes);

	int rc = canonical_upgrade(database);
	if (rc == 0)
		rc = statements_prepare(&changes->statements, database);
	if (rc < 0) {
		changes_close(changes);
		return rc;
	}
	changes->is_removing = true; /* the last server may not have finished */
	*ret_changes = changes;
	return 0;
}

void
changes_close(struct changes *changes)
{
	if (!changes)
		return;
	statements_finalize(&changes->statements);
	resource_counts_forget(&changes->counts);
	free(changes);
}

bool
changes_is_refusal(int error)
{
	return statements_is_refusal(error);
}

/* Writes the change, with the status and action of resource. */
static int
write_change(struct changes *changes, struct store_change *change, bool at_once, struct resource *resource)
{
	resource->status_message = NULL;
	if (change->action == STORE_CREATE)
		return resource_write_insert(&changes->statements, &changes->counts, change, resource);
	if (change->action == STORE_UPDATE)
		return resource_write_update(&changes->statements, change, resource);
	return at_once ? resource_write_remove(&changes->statements, &changes->counts, change, resource)
		       : resource_write_mark(&changes->statements, resource);
}

static int
make(struct changes *changes, struct store_change *change, bool at_once, struct resource *resource)
{
	resource->id = change->id;
	resource->parent = change->parent;
	resource->status = at_once ? STORE_ACTIVE : STORE_PENDING;
	resource->action = at_once ? STORE_NONE : change->action;
	TRY(write_change(changes, change, at_once, resource));
	representation_of_change(change, resource);
	return 0;
}

int
changes_apply(struct changes *changes, struct store_change *change)
{
	CLEANUP(resource_row_fini) struct resource_row row = {0};
	int rc = judge_change(&changes->statements, change, true, &row);

	if (rc == 0)
		rc = make(changes, change, true, &row.resource);
	changes->is_removing |= change->took_others;
	return rc;
}

int
changes_accept(struct changes *changes, struct store_change *change, uint64_t sequence)
{
	CLEANUP(resource_row_fini) struct resource_row row = {0};
	int rc = judge_change(&changes->statements, change, false, &row);

	if (rc < 0)
		return rc;
	TRY(make(changes, change, false, &row.resource));
	TRY(statements_run(&changes->statements, ADD_CHANGE, "iiit", (int64_t)sequence, row.resource.sequence,
		(int64_t)change->action, row.resource.document));
	return 0;
}

int
changes_begin(struct changes *changes, struct store_change *change, uint64_t sequence)
{
	CLEANUP(resource_row_fini) struct resource_row row = {0};
	struct text text = {0};
	int rc = settlement_find(&changes->statements, change, sequence, &row);

	free(change->on_change);
	change->on_change = NULL;
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	row.resource.action = change->action;
	text_addf(&text, "{\"action\":\"%s\",\"resource\":", store_action_name(change->action));
	representation_add_inside(&text, change->collection, &row.resource, change->url);
	text_add_char(&text, '}');
	change->on_change = text_take(&text);
	return 0;
}

int
changes_finish(struct changes *changes)
{
	return resource_counts_write(&changes->statements, &changes->counts);
}

void
changes_roll_back(struct changes *changes)
{
	resource_counts_forget(&changes->counts);
	changes->is_removing = true; /* the rollback may have undone the last step */
}

int
changes_end(struct changes *changes, struct store_change *change, uint64_t sequence)
{
	int rc = settlement_make(&changes->statements, &changes->counts, change, sequence);

	changes->is_removing |= change->took_others;
	return rc;
}

bool
changes_is_removing(const struct changes *changes)
{
	return changes->is_removing;
}

int
changes_remove_some(struct changes *changes)
{
	return removal_step(&changes->statements, &changes->is_removing);
}

int
changes_add_indexes(struct changes *changes, const struct store_collection *collection)
{
	return indexes_make(changes->statements.database, collection);
}

int
changes_check(struct changes *changes, char **ret_why)
{
	static const struct {
		enum statement which;
		const char *what;
	} checks[] = {{FIND_DAMAGED, "resource"}, {FIND_DAMAGED_CHANGE, "the change of operation"},
		{FIND_DAMAGED_REMOVAL, "removal"}};
	struct statements *statements = &changes->statements;
	int rc = 0;

	for (size_t i = 0; i < sizeof checks / sizeof *checks && rc == 0; i++) {
		sqlite3_stmt *statement = statements->list[checks[i].which];
		rc = statements_ask(statements, checks[i].which, "");
		if (rc > 0)
			*ret_why = xasprintf("the row of %s %lld is damaged", checks[i].what,
				(long long)sqlite3_column_int64(statement, 0));
		sqlite3_reset(statement);
	}
	if (rc < 0)
		*ret_why =
			xasprintf("the resources cannot be read: %s", database_message(statements->database));
	return rc > 0 ? -EINVAL : rc;
}

int
changes_find(struct changes *changes, uint64_t sequence, struct store_pending *ret_pending)
{
	sqlite3_stmt *statement = changes->statements.list[FIND_PENDING];
	int rc = statements_ask(&changes->statements, FIND_PENDING, "i", (int64_t)sequence);

	if (rc <= 0)
		return rc < 0 ? rc : -ENOENT;
	ret_pending->action = (enum store_action)sqlite3_column_int(statement, 0);
	ret_pending->collection = resource_row_text(statement, 1);
	resource_row_id(statement, 2, &ret_pending->id);
	resource_row_id(statement, 3, &ret_pending->parent);
	ret_pending->document = resource_row_text(statement, 4);
	ret_pending->version = (uint64_t)sqlite3_column_int64(statement, 5);
	ret_pending->created_ms = sqlite3_column_int64(statement, 6);
	ret_pending->updated_ms = sqlite3_column_int64(statement, 7);
	sqlite3_reset(statement);
	return 0;
}
