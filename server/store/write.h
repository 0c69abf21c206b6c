/* One write on its way to the disk, and back to the loop as its completion. */
#pragma once

#include "store/backend.h"

#include "common/list.h"

struct store_write {
	struct mail mail; /* as its completion */
	struct list link; /* in the queue of whoever has it */
	uint64_t serial;  /* order of handing over, the writer's */
	enum store_verb verb;

	store_done_fn done; /* NULL: nobody waits for it */
	void *arg;
	int error;		  /* what done is told */
	struct item_cache *items; /* is told before, of its change: a reference; NULL: none */

	/* its body or result is where it belongs: in file, which is a reference, or in the row where file is
	 * NULL */
	bool settled;
	struct blob *file;

	/* what the verb reads: strings are copies in data, blobs are references, the rest is zero */
	struct store_operation operation;
	char data[];
};

static inline struct store_write *
write_of(struct list *node)
{
	return container_of(node, struct store_write, link);
}

/* Copies what verb reads of operation; aborts when memory is out. */
struct store_write *write_new(
	enum store_verb verb, const struct store_operation *operation, store_done_fn done, void *arg);

/* Has items told of what it changes, where it changes a resource.  Loop thread. */
void write_tell(struct store_write *write, struct item_cache *items);

/* The body or the result that it brings, NULL if it brings none. */
struct blob *write_blob(const struct store_write *write);

/* Makes it its completion with error, which is to be posted, where somebody waits for it.  Otherwise it is
 * freed, and NULL comes back. */
__attribute__((warn_unused_result)) struct mail *write_complete(struct store_write *write, int error);
