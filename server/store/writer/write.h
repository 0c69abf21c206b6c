/* One write on its way to the disk, which then becomes its own completion on the way back to the loop. */
#pragma once

#include "store/backend.h"

#include "common/list.h"

struct store_write {
	struct mail mail; /* used when the write is a completion */
	struct list link; /* in a queue or a group */
	uint64_t serial;  /* order of handing over; set by the writer */
	enum store_verb verb;

	store_done_fn done; /* NULL: nothing waits for it */
	void *arg;
	int error;		  /* the result for done */
	struct item_cache *items; /* a reference: drops the changed resource before done; NULL: none */

	/* set once the body or result is in its place: in file (a reference), or in the row if file is
	 * NULL */
	bool settled;
	struct blob *file;

	/* the members that the verb reads: strings are copies in data, blobs are references; the rest is
	 * zero */
	struct store_operation operation;
	char data[];
};

static inline struct store_write *
write_of(struct list *node)
{
	return container_of(node, struct store_write, link);
}

/* Makes a write; copies the members of operation that verb reads.  Aborts when memory runs out. */
struct store_write *write_new(
	enum store_verb verb, const struct store_operation *operation, store_done_fn done, void *arg);

/* If the write changes a resource, drops that resource from the item cache when the write completes.  Loop
 * thread. */
void write_tell(struct store_write *write, struct item_cache *items);

/* The body or the result that the write stores; NULL if there is none. */
struct blob *write_blob(const struct store_write *write);

/* Completes the write with error: returns the completion for posting, or frees the write and returns NULL if
 * nothing waits for it. */
__attribute__((warn_unused_result)) struct mail *write_complete(struct store_write *write, int error);
