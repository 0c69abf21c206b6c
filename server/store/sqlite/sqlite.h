/* The embedded store: keeps operations and resources in a SQLite database and a spool beside it. */
#pragma once

#include "store/store.h"

/* See store_open; config->path is set. */
__attribute__((warn_unused_result)) int store_open_embedded(
	const struct store_config *config, struct store **ret_store, char **ret_why);
