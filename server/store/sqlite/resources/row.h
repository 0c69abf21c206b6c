/* A row of the table of resources, as the statements return it. */
#pragma once

#include "store/resources.h"
#include "store/shared/representation.h"

#include <sqlite3.h>

/* The columns that resource_row_read reads, in its order; r is the table. */
#define RESOURCE_COLUMNS \
	"r.sequence, r.collection, r.id, r.parent, r.status, r.action, r.version, r.created_ms, " \
	"r.updated_ms," \
	" r.status_message, r.document, r.checksum"
#define RESOURCE_COLUMN_COUNT 12

/* A row with its own copies of all strings; zero it before use. */
struct resource_row {
	struct resource resource;
	char *document;
	char *current; /* set by settlement_find: the document with all changes */
	char *message;
	int pending; /* the greatest enum store_action of the pending changes; STORE_NONE: none */
};

void resource_row_fini(struct resource_row *row);

/* Whether the checksum of the current row of statement is right; the statement selects RESOURCE_COLUMNS. */
bool resource_row_is_whole(sqlite3_stmt *statement);

/* Copies the row; -EIO if it is damaged.  *ret_row must be all zero. */
__attribute__((warn_unused_result)) int resource_row_read(
	sqlite3_stmt *statement, struct resource_row *ret_row);

/* The same, but the statement lends the strings. */
__attribute__((warn_unused_result)) int resource_row_look(
	sqlite3_stmt *statement, struct resource *ret_resource);

/* Copies a text, and an id, from a column; *ret_id is unchanged if the column has no id. */
char *resource_row_text(sqlite3_stmt *statement, int column);
void resource_row_id(sqlite3_stmt *statement, int column, struct id *ret_id);
