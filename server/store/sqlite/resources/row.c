/* Reads rows of the table of resources and checks their checksums. */
#include "store/sqlite/resources/row.h"

#include "store/sqlite/disk/checksum.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	COLUMN_SEQUENCE,
	COLUMN_COLLECTION, /* the first column that the checksum covers */
	COLUMN_ID,
	COLUMN_PARENT,
	COLUMN_STATUS,
	COLUMN_ACTION,
	COLUMN_VERSION,
	COLUMN_CREATED_MS,
	COLUMN_UPDATED_MS,
	COLUMN_STATUS_MESSAGE,
	COLUMN_DOCUMENT,
	COLUMN_CHECKSUM,
	COLUMN_COUNT,
};

_Static_assert(COLUMN_COUNT == RESOURCE_COLUMN_COUNT, "the columns and their number");

void
resource_row_fini(struct resource_row *row)
{
	free(row->document);
	free(row->current);
	free(row->message);
}

char *
resource_row_text(sqlite3_stmt *statement, int column)
{
	return xstrdup((const char *)sqlite3_column_text(statement, column));
}

void
resource_row_id(sqlite3_stmt *statement, int column, struct id *ret_id)
{
	if (sqlite3_column_bytes(statement, column) == sizeof *ret_id)
		memcpy(ret_id, sqlite3_column_blob(statement, column), sizeof *ret_id);
}

bool
resource_row_is_whole(sqlite3_stmt *statement)
{
	sqlite3_value *values[COLUMN_CHECKSUM - COLUMN_COLLECTION];
	int count = sizeof values / sizeof *values;

	for (int i = 0; i < count; i++)
		values[i] = sqlite3_column_value(statement, COLUMN_COLLECTION + i);
	return checksum_of(values, count) == (uint64_t)sqlite3_column_int64(statement, COLUMN_CHECKSUM);
}

int
resource_row_look(sqlite3_stmt *statement, struct resource *ret_resource)
{
	if (!resource_row_is_whole(statement))
		return -EIO;
	ret_resource->sequence = sqlite3_column_int64(statement, COLUMN_SEQUENCE);
	resource_row_id(statement, COLUMN_ID, &ret_resource->id);
	resource_row_id(statement, COLUMN_PARENT, &ret_resource->parent);
	ret_resource->status = (enum store_status)sqlite3_column_int(statement, COLUMN_STATUS);
	ret_resource->action = (enum store_action)sqlite3_column_int(statement, COLUMN_ACTION);
	ret_resource->version = (uint64_t)sqlite3_column_int64(statement, COLUMN_VERSION);
	ret_resource->created_ms = sqlite3_column_int64(statement, COLUMN_CREATED_MS);
	ret_resource->updated_ms = sqlite3_column_int64(statement, COLUMN_UPDATED_MS);
	ret_resource->status_message = (const char *)sqlite3_column_text(statement, COLUMN_STATUS_MESSAGE);
	ret_resource->document = (const char *)sqlite3_column_text(statement, COLUMN_DOCUMENT);
	return 0;
}

int
resource_row_read(sqlite3_stmt *statement, struct resource_row *ret_row)
{
	struct resource *resource = &ret_row->resource;
	int rc = resource_row_look(statement, resource);

	if (rc < 0)
		return rc;
	resource->status_message = ret_row->message = xstrdup(resource->status_message);
	resource->document = ret_row->document = xstrdup(resource->document);
	return 0;
}
