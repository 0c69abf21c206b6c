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

/* Makes one write part of the transaction.  What is wrong with the write alone is for its completion, and no
 * failure here. */
static int
add(struct disk *disk, struct write *write)
{
	int rc = 0;

	write->error = 0;
	if (!write->settled)
		rc = spool_settle(disk->spool, write_blob(write), &write->file);
	if (rc == -ENOENT) {
		write->error = -EIO;
		return 0;
	}
	if (rc < 0)
		return rc;
	write->settled = true;
	rc = rows_write(disk->rows, write->verb, &write->operation, write->file);
	if (rc == -ENOENT || rc == -EEXIST) {
		write->error = rc;
		return 0;
	}
	return rc;
}

static int
commit(struct disk *disk, struct list *writes)
{
	int rc = database_begin(disk->database);
	bool frees = false;

	list_for_each(node, writes) {
		struct write *write = write_of(node);
		if (rc == 0)
			rc = add(disk, write);
		frees |= effects[write->verb].frees;
	}
	if (rc == 0 && frees)
		rc = database_shrink(disk->database);
	if (rc == 0)
		rc = spool_sync(disk->spool);
	if (rc == 0)
		rc = database_commit(disk->database);
	if (rc < 0)
		database_rollback(disk->database);
	return rc;
}

static void
take_effect(struct disk *disk, const struct write *write)
{
	const struct effect *effect = &effects[write->verb];
	uint64_t sequence = write->operation.sequence;

	for (int kind = 0; kind < SPOOL_KIND_COUNT; kind++)
		if (effect->drops[kind])
			spool_drop(disk->spool, sequence, (enum spool_kind)kind);
	if (write->file)
		spool_keep(disk->spool, sequence, effect->keeps, write->file);
}

int
disk_write(struct disk *disk, struct list *writes)
{
	int rc = commit(disk, writes);

	if (rc < 0)
		return rc;
	list_for_each(node, writes)
		if (write_of(node)->error == 0)
			take_effect(disk, write_of(node));
	return 0;
}

bool
disk_is_broken(const struct disk *disk)
{
	return database_is_broken(disk->database) || spool_is_broken(disk->spool);
}

const char *
disk_message(const struct disk *disk)
{
	return database_is_broken(disk->database) ? database_message(disk->database)
						  : "a file cannot be synced";
}
