/* Makes the unique values canonical that an earlier version has stored as plain JSON text. */
#pragma once

#include "store/sqlite/disk/database.h"

/* Does it in one transaction of its own, if it has not been done; writer thread, or before that starts.  -errno. */
__attribute__((warn_unused_result)) int canonical_upgrade(struct database *database);
