/* The indexes that collections want of their members, for filters and sort keys. */
#pragma once

#include "store/database.h"
#include "store/resources.h"

/* Makes those of the collection that are missing, and drops those that it does not name any more.  -errno. */
__attribute__((warn_unused_result)) int indexes_make(
	struct database *database, const struct store_collection *collection);
