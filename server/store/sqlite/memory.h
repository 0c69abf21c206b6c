/* The store that keeps nothing ("state": "memory"). */
#pragma once

#include "store/store.h"

/* See store_open; config->path is NULL. */
__attribute__((warn_unused_result)) int store_open_memory(
	const struct store_config *config, struct store **ret_store, char **ret_why);
