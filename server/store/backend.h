/* The interface between store.c and the kinds of stores behind it.  Only for files of the store. */
#pragma once

#include "store/store.h"

struct item_cache;
struct store_judgement;
struct store_list;
struct store_read;

/* The kinds of writes, each with the members of struct store_operation that it reads besides id and sequence. */
enum store_verb {
	STORE_ACCEPT,  /* all that is known before the work begins */
	STORE_BEGIN,   /* started_ms, change */
	STORE_PROCESS, /* pid, pid_start_time */
	STORE_END,     /* end, status, fields, result, detail, ended_ms, forget_ms, change */
	STORE_CHANGE,  /* only change: there is no operation */
	STORE_INDEX,   /* only the collection of change: there is no operation */
	STORE_ATTACH,  /* change */
	STORE_EXPIRE,  /* forget_ms */
	STORE_FORGET,
	STORE_VERB_COUNT,
};

/* The functions of one kind of store.  store.h and resources.h describe those that have the same name there.
 * All are called on the loop thread. */
struct store_backend {
	/* Both are NULL where a store does not outlast its server. */
	const char *(*earlier_servers)(const struct store *store);
	int (*forget_servers)(struct store *store);

	int (*load)(struct store *store, store_load_fn fn, void *arg, char **ret_why);
	int (*start)(struct store *store);

	/* Copies what it needs, and takes references to blobs.  done is NULL if nothing waits for the
	 * completion. */
	void (*write)(struct store *store, enum store_verb verb, const struct store_operation *operation,
		store_done_fn done, void *arg);

	/* Prepares for changes and reads of collections; called once for each collection.  -errno. */
	int (*prepare)(struct store *store);

	void (*read)(struct store *store, struct store_read *read);
	void (*judge)(struct store *store, struct store_judgement *judgement);
	void (*list)(struct store *store, struct store_list *list);

	int (*spool_fd)(const struct store *store);
	bool (*is_healthy)(const struct store *store);
	void (*get_stats)(struct store *store, struct store_stats *ret_stats);
	void (*close)(struct store *store); /* frees the store */
};

/* The first member of every kind of store. */
struct store {
	const struct store_backend *backend;
	struct item_cache *items;
};

/* The most memory that the item cache uses, in bytes. */
#define STORE_ITEM_BYTES (32 * 1024 * 1024)
