/* Writes a group: first the files, then the rows in one transaction; then it deletes the files that no row
 * names any more. */
#include "store/sqlite/group.h"

#include <assert.h>
#include <errno.h>

/* The effect of a durable write on the files of its operation. */
static const struct effect {
	bool drops[SPOOL_KIND_COUNT];
	enum spool_kind keeps; /* the kind of the new file */
	bool frees;	       /* the write frees space in the database */
} effects[STORE_VERB_COUNT] = {
	[STORE_ACCEPT] = {.keeps = SPOOL_BODY},
	[STORE_END] = {.drops = {[SPOOL_BODY] = true}, .keeps = SPOOL_RESULT},
	[STORE_EXPIRE] = {.drops = {[SPOOL_RESULT] = true}, .frees = true},
	[STORE_FORGET] = {.drops = {[SPOOL_BODY] = true, [SPOOL_RESULT] = true}, .frees = true},
};

static int
add_change(struct disk *disk, struct store_write *write)
{
	struct store_change *change = write->operation.change;
	uint64_t sequence = write->operation.sequence;

	switch (write->verb) {
	case STORE_ACCEPT:
	case STORE_ATTACH:
		return changes_accept(disk->changes, change, sequence);
	case STORE_BEGIN:
		return changes_begin(disk->changes, change, sequence);
	case STORE_CHANGE:
		return changes_apply(disk->changes, change);
	case STORE_INDEX:
		return changes_add_indexes(disk->changes, change->collection);
	case STORE_END:
		return changes_end(disk->changes, change, sequence);
	default:
		return 0;
	}
}

/* Puts blob where it belongs, once for all tries: in a file, or in the row. */
static int
settle(struct disk *disk, struct store_write *write, struct blob *blob)
{
	if (write->settled || !disk->spool)
		return 0;
	int rc = spool_settle(disk->spool, blob, &write->file);
	write->settled = rc == 0;
	return rc;
}

/* Whether the operation's final response comes from the change that it has carried out. */
static bool
makes_response(const struct store_write *write)
{
	const struct store_change *change = write->operation.change;

	return write->verb == STORE_END && change && !change->failed;
}

/* Sets the final response in row, which lends it from the change, and puts its body where it belongs.  Each
 * try makes a new response, so nothing of the last try may be left. */
static int
take_response(struct disk *disk, struct store_write *write, struct store_operation *row)
{
	struct store_change *change = row->change;

	assert(change);
	if (change->end_failed)
		row->end = "failed";
	row->detail = change->end_failed ? change->message : NULL;
	row->status = change->status;
	row->fields = change->fields.wire;
	row->fields_len = change->fields.len;
	row->result = change->body;
	blob_unref(write->file);
	write->file = NULL;
	write->settled = false;
	int rc = settle(disk, write, row->result);
	return rc == -ENOENT ? -EIO : rc;
}

static bool
has_row(const struct disk *disk, enum store_verb verb)
{
	return disk->rows && verb != STORE_CHANGE && verb != STORE_INDEX && verb != STORE_ATTACH;
}

/* Makes one write part of the transaction, or sets its error and leaves the transaction as it was: so the
 * file comes before the change, because a change that has been made cannot be taken back alone. */
static int
add(struct disk *disk, struct store_write *write)
{
	struct store_operation row = write->operation;
	int rc = makes_response(write) ? 0 : settle(disk, write, write_blob(write));

	write->error = rc == -ENOENT ? -EIO : 0;
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	if (row.change)
		rc = add_change(disk, write);
	if (changes_is_refusal(rc)) {
		write->error = rc;
		return 0;
	}
	if (rc == 0 && makes_response(write))
		rc = take_response(disk, write, &row);
	if (rc < 0 || !has_row(disk, write->verb))
		return rc;
	rc = rows_write(disk->rows, write->verb, &row, write->file);
	if (rc == -ENOENT || rc == -EEXIST) {
		write->error = rc;
		return 0;
	}
	return rc;
}

static void
roll_back(struct disk *disk)
{
	database_rollback(disk->database);
	if (disk->changes)
		changes_roll_back(disk->changes);
}

static int
commit(struct disk *disk, struct list *writes)
{
	int rc = database_begin(disk->database);
	bool frees = false;

	list_for_each(node, writes) {
		struct store_write *write = write_of(node);
		if (rc == 0)
			rc = add(disk, write);
		frees |= effects[write->verb].frees;
	}
	if (rc == 0 && disk->changes)
		rc = changes_finish(disk->changes);
	if (rc == 0 && frees)
		rc = database_shrink(disk->database);
	if (rc == 0 && disk->spool)
		rc = spool_sync(disk->spool);
	if (rc == 0)
		rc = database_commit(disk->database);
	if (rc < 0)
		roll_back(disk);
	return rc;
}

static void
take_effect(struct disk *disk, const struct store_write *write)
{
	const struct effect *effect = &effects[write->verb];
	uint64_t sequence = write->operation.sequence;

	if (!disk->spool)
		return;
	for (int kind = 0; kind < SPOOL_KIND_COUNT; kind++)
		if (effect->drops[kind])
			spool_drop(disk->spool, sequence, (enum spool_kind)kind);
	if (write->file)
		spool_keep(disk->spool, sequence, effect->keeps, write->file);
}

static int
write_group(void *target, struct list *writes)
{
	struct disk *disk = target;
	int rc = commit(disk, writes);

	if (rc < 0)
		return rc;
	list_for_each(node, writes)
		if (write_of(node)->error == 0)
			take_effect(disk, write_of(node));
	return 0;
}

static int
tidy(void *target)
{
	return database_tidy(((struct disk *)target)->database);
}

static bool
is_removing(void *target)
{
	const struct disk *disk = target;

	return disk->changes && changes_is_removing(disk->changes);
}

static int
remove_some(void *target)
{
	struct disk *disk = target;
	int rc = database_begin(disk->database);

	if (rc == 0)
		rc = changes_remove_some(disk->changes);
	if (rc == 0)
		rc = database_shrink(disk->database);
	if (rc == 0)
		rc = database_commit(disk->database);
	if (rc < 0)
		roll_back(disk);
	return rc;
}

static int
probe(void *target)
{
	return database_probe(((struct disk *)target)->database);
}

static const char *
why_broken(void *target)
{
	const struct disk *disk = target;

	if (database_is_broken(disk->database))
		return database_message(disk->database);
	return disk->spool && spool_is_broken(disk->spool) ? "a file cannot be synced" : NULL;
}

const struct writer_ops disk_ops = {
	.write = write_group,
	.tidy = tidy,
	.is_removing = is_removing,
	.remove_some = remove_some,
	.probe = probe,
	.why_broken = why_broken,
};
