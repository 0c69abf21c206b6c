/* The disk: database, rows, resources and spool together, and how a group of writes becomes durable in
 * them. */
#pragma once

#include "store/sqlite/disk/database.h"
#include "store/sqlite/disk/spool.h"
#include "store/sqlite/resources/changes.h"
#include "store/sqlite/rows.h"
#include "store/writer/writer.h"

/* One thread at a time. */
struct disk {
	struct database *database;
	struct changes *changes;
	struct rows *rows;   /* NULL: only resources are stored, no operations */
	struct spool *spool; /* NULL: only resources are stored, no operations */
};

/* How the writer writes to a disk; its target is a struct disk.  A group is one transaction. */
extern const struct writer_ops disk_ops;
