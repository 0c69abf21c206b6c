/* The disk as the writer's thread sees it: database, rows and spool, and how a group of writes becomes
 * durable in them. */
#pragma once

#include "store/changes.h"
#include "store/database.h"
#include "store/rows.h"
#include "store/spool.h"
#include "store/writer.h"

/* One thread at a time. */
struct disk {
	struct database *database;
	struct changes *changes;
	struct rows *rows;   /* NULL: operations are not kept, only resources are */
	struct spool *spool; /* likewise */
};

/* How the writer writes to a disk; its target is a struct disk.  A group is one transaction. */
extern const struct writer_ops disk_ops;
