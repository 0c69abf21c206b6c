/* The disk as the writer's thread sees it: database, rows and spool, and how a group of writes becomes
 * durable in them. */
#pragma once

#include "store/changes.h"
#include "store/database.h"
#include "store/rows.h"
#include "store/spool.h"
#include "store/write.h"

/* One thread at a time. */
struct disk {
	struct database *database;
	struct changes *changes;
	struct rows *rows;   /* NULL: operations are not kept, only resources are */
	struct spool *spool; /* likewise */
};

/*
 * Makes all writes of the list durable in one transaction: 0, and error of each is what its completion is to
 * be told (0, -ENOENT if there is no such operation, a refusal of its change, -EIO if the file of its body or result is gone).  Or
 * -errno, and nothing has changed.
 */
__attribute__((warn_unused_result)) int disk_write(struct disk *disk, struct list *writes);

/* Whether resources are still to be removed that belonged to others; removes some, in a transaction of its own.  -errno, and nothing has
 * changed. */
bool disk_is_removing(const struct disk *disk);
__attribute__((warn_unused_result)) int disk_remove_some(struct disk *disk);

/* Whether a sync has failed or a page is damaged: nothing may be written any more.  Then why, for the log. */
bool disk_is_broken(const struct disk *disk);
const char *disk_message(const struct disk *disk);
