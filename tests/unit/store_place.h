/* What tests of the store stand on: a directory of their own, a loop, and operations to be stored. */
#pragma once

#include "common/mailbox.h"
#include "store/store.h"

struct event_base;

struct place {
	char directory[64];
	char *path;	  /* of a database in it that does not exist yet */
	char *spool_path; /* where its spool will be */
	struct event_base *base;
	struct mailbox *mailbox;
};

/* Aborts where it cannot be made. */
void place_init(struct place *place);

/* Delivers what is left, removes the directory with all that is in it. */
void place_fini(struct place *place);

/* Lets a pass of the loop end, so that what was handed to the store in it is on its way. */
void place_end_pass(struct place *place);

/* Runs the loop until *done is as wanted; aborts after a minute. */
void place_wait(struct place *place, const unsigned *done, unsigned wanted);

/* Names in the spool, "." and ".." not counted. */
unsigned place_count_files(const struct place *place);

/* What a completion came with. */
struct outcome {
	unsigned *count; /* counts completions; may be shared */
	unsigned order;	 /* *count at the completion, from 1 */
	int error;
};

/* A store_done_fn, its argument is a struct outcome. */
void outcome_done(void *arg, int error);

/* An operation with that sequence, with every member set that accepting reads; its strings are constants, and
 * it has no body. */
struct store_operation place_operation(uint64_t sequence);

/* The same operation with what ending reads. */
struct store_operation place_end(uint64_t sequence);

/* len bytes that are told from those of another seed. */
struct blob *place_blob(size_t len, unsigned seed);

/* Asserts that both have the same bytes, or that both are NULL. */
void place_assert_same_bytes(const struct blob *a, const struct blob *b);

/* Asserts that both say the same, bytes of body and result included. */
void place_assert_same(const struct store_operation *a, const struct store_operation *b);

/* What a load has given, as copies. */
#define FOUND_MAX 64
struct found {
	struct store_operation operations[FOUND_MAX];
	size_t count;
};

/* A store_load_fn, its argument is a struct found. */
void place_on_load(void *arg, const struct store_operation *from);
void found_fini(struct found *found);
