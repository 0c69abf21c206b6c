/* The indexes on members of documents, which collections list for filters and sort keys. */
#pragma once

#include "store/resources.h"
#include "store/sqlite/disk/database.h"

/* Creates the collection's missing indexes, and drops those that it no longer lists.  -errno. */
__attribute__((warn_unused_result)) int indexes_make(
	struct database *database, const struct store_collection *collection);
