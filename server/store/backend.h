/* What stands behind the store's interface: the members that store.c calls.  For the files of this layer
 * alone. */
#pragma once

#include "store/store.h"

struct item_cache;
struct store_read;
struct store_judgement;
struct store_list;

/* What a write does to an operation, and which members of struct store_operation it reads beside id and
 * sequence. */
enum store_verb {
	STORE_ACCEPT,  /* all that is known before the work begins */
	STORE_BEGIN,   /* started_ms, change */
	STORE_PROCESS, /* pid, pid_start_time */
	STORE_END,     /* end, status, fields, result, detail, ended_ms, forget_ms, change */
	STORE_CHANGE,  /* change, and nothing else: there is no operation */
	STORE_INDEX,   /* likewise, and of that its collection */
	STORE_ATTACH,  /* change */
	STORE_EXPIRE,  /* forget_ms */
	STORE_FORGET,
	STORE_VERB_COUNT,
};

struct store_backend {
	int (*load)(struct store *store, store_load_fn fn, void *arg, char **ret_why);
	int (*start)(struct store *store);

	/* Takes copies and references of what it needs; done is NULL where there is no completion. */
	void (*write)(struct store *store, enum store_verb verb, const struct store_operation *operation,
		store_done_fn done, void *arg);

	/* Makes ready for changes and reads of a collection.  -errno. */
	int (*prepare)(struct store *store);

	/* See store_read, store_judge and store_list in resources.h. */
	void (*read)(struct store *store, struct store_read *read);
	void (*judge)(struct store *store, struct store_judgement *judgement);
	void (*list)(struct store *store, struct store_list *list);

	int (*spool_fd)(const struct store *store);
	bool (*is_healthy)(const struct store *store);
	void (*get_stats)(struct store *store, struct store_stats *ret_stats);
	void (*close)(struct store *store); /* frees it */
};

/* Stands first in every store. */
struct store {
	const struct store_backend *backend;
	struct item_cache *items;
};

/* How much of memory they may take. */
#define STORE_ITEM_BYTES (32 * 1024 * 1024)

/* The two that there are; see store_open. */
__attribute__((warn_unused_result)) int store_open_memory(
	const struct store_config *config, struct store **ret_store, char **ret_why);
__attribute__((warn_unused_result)) int store_open_embedded(
	const struct store_config *config, struct store **ret_store, char **ret_why);
