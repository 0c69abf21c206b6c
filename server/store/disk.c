/* Groups of writes: first the files, then the rows in one transaction, then the files that no row names any
 * more. */
#include "store/disk.h"

#include <errno.h>

/* What a write that is durable means for the files of its operation. */
static const struct effect {
	bool drops[SPOOL_KIND_COUNT];
	enum spool_kind keeps; /* the kind of the file that it brought */
	bool frees;	       /* makes the database smaller */
} effects[STORE_VERB_COUNT] = {
	[STORE_ACCEPT] = {.keeps = SPOOL_BODY},
	[STORE_END] = {.drops = {[SPOOL_BODY] = true}, .keeps = SPOOL_RESULT},
	[STORE_EXPIRE] = {.drops = {[SPOOL_RESULT] = true}, .frees = true},
	[STORE_FORGET] = {.drops = {[SPOOL_BODY] = true, [SPOOL_RESULT] = true}, .frees = true},
};

/* The final response of an operation that has carried out a change is what came of the change. */
static void
take_response(struct store_operation *operation)
{
	struct store_change *change = operation->change;

	if (change->failed)
		return;
	if (change->end_failed)
		operation->end = "failed";
	operation->detail = change->end_failed ? change->message : NULL;
	operation->status = change->status;
	operation->fields = change->fields.wire;
	operation->fields_len = change->fields.len;
	blob_unref(operation->result);
	operation->result = blob_ref(change->body);
}

static int
add_change(struct disk *disk, struct store_write *write)
{
	struct store_change *change = write->operation.change;
	uint64_t sequence = write->operation.sequence;
	int rc;

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
		rc = changes_end(disk->changes, change, sequence);
		if (rc == 0)
			take_response(&write->operation);
		return rc;
	default:
		return 0;
	}
}

static int
settle(struct disk *disk, struct store_write *write)
{
	int rc = 0;

	if (!write->settled && disk->spool)
		rc = spool_settle(disk->spool, write_blob(write), &write->file);
	return rc;
}

/* Makes one write part of the transaction.  What is wrong with the write alone is for its completion, and no
 * failure here. */
static int
add(struct disk *disk, struct store_write *write)
{
	int rc = 0;

	write->error = 0;
	if (write->operation.change)
		rc = add_change(disk, write);
	if (changes_is_refusal(rc)) {
		write->error = rc;
		return 0;
	}
	if (rc == 0)
		rc = settle(disk, write);
	if (rc == -ENOENT) {
		write->error = -EIO;
		return 0;
	}
	if (rc < 0)
		return rc;
	write->settled = true;
	if (!disk->rows || write->verb == STORE_CHANGE || write->verb == STORE_INDEX ||
		write->verb == STORE_ATTACH)
		return 0;
	rc = rows_write(disk->rows, write->verb, &write->operation, write->file);
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
