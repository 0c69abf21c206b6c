/* Lists of resources as SQL (struct store_list).  One thread at a time for each connection. */
#pragma once

#include "store/resources.h"

#include <sqlite3.h>

/* The SQL expression to sort by a member of the document (malloc'ed); NULL if the name cannot be written as a
 * JSON path of SQLite. */
char *listing_sort_value(const char *member);

/* Adds the name of the index on that expression. */
void listing_index_name(struct text *name, const char *collection, const char *member);

/* Runs list and sets its results. */
void listing_run(sqlite3 *handle, struct store_list *list);
