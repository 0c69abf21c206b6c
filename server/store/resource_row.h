/* A row of the resources, as the statements find it. */
#pragma once

#include "store/representation.h"
#include "store/resources.h"

#include <sqlite3.h>

/* What resource_row_read reads, from the table r, in its order. */
#define RESOURCE_COLUMNS \
	"r.sequence, r.collection, r.id, r.parent, r.status, r.action, r.version, r.created_ms, " \
	"r.updated_ms," \
	" r.status_message, r.document, r.checksum"
#define RESOURCE_COLUMN_COUNT 12

/* All zero, or with its own copies of what points. */
struct resource_row {
	struct resource resource;
	char *document;
	char *current; /* settlement_find: the document with all changes */
	char *message;
	int pending; /* the greatest enum store_action among its pending changes; STORE_NONE: none */
};

void resource_row_fini(struct resource_row *row);

/* Whether the row that a statement has found, of RESOURCE_COLUMNS, is as it was written. */
bool resource_row_is_whole(sqlite3_stmt *statement);

/* Copies it; -EIO if it is damaged.  row must have been all zero. */
__attribute__((warn_unused_result)) int resource_row_read(
	sqlite3_stmt *statement, struct resource_row *ret_row);

/* The same, but what points is lent by statement. */
__attribute__((warn_unused_result)) int resource_row_look(
	sqlite3_stmt *statement, struct resource *ret_resource);

/* Copies of a text and an id in a column; an id that is none is left as it was. */
char *resource_row_text(sqlite3_stmt *statement, int column);
void resource_row_id(sqlite3_stmt *statement, int column, struct id *ret_id);
