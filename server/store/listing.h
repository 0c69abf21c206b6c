/* Lists of resources as SQL: see struct store_list.  One thread at a time for a connection. */
#pragma once

#include "store/resources.h"

#include <sqlite3.h>

/* The SQL expression whose order is that of a member of the document (malloc'ed); NULL where the name is one
 * that SQLite cannot ask for. */
char *listing_sort_value(const char *member);

/* Adds the name of the index on that expression. */
void listing_index_name(struct text *name, const char *collection, const char *member);

/* Runs list: sets what is told of it. */
void listing_run(sqlite3 *handle, struct store_list *list);
