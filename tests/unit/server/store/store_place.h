/* For every test of the store: a temporary directory, a loop, and operations to store. */
#pragma once

#include "common/loop/mailbox.h"
#include "store/store.h"

struct event_base;

struct place {
	char directory[64];
	char *path;	  /* of a database in it, which does not exist yet */
	char *spool_path; /* where its spool will be */
	struct event_base *base;
	struct mailbox *mailbox;
};

/* Aborts on failure. */
void place_init(struct place *place);

/* Delivers the remaining mail, and removes the directory with its contents. */
void place_fini(struct place *place);

/* Ends a turn of the loop, so that the store hands over what it was given in that turn. */
void place_end_pass(struct place *place);

/* Runs the loop until *done is as wanted; aborts after a minute. */
void place_wait(struct place *place, const unsigned *done, unsigned wanted);

/* Names in the spool, "." and ".." not counted. */
unsigned place_count_files(const struct place *place);

/* The result of a completion. */
struct outcome {
	unsigned *count; /* counts completions; may be shared */
	unsigned order;	 /* *count at the completion, from 1 */
	int error;
};

/* A store_done_fn, its argument is a struct outcome. */
void outcome_done(void *arg, int error);

/* An operation with that sequence and all members that an accept reads; its strings are constants, and it has
 * no body. */
struct store_operation place_operation(uint64_t sequence);

/* The same operation with the members that an end reads. */
struct store_operation place_end(uint64_t sequence);

/* A blob of len bytes; another seed gives other bytes. */
struct blob *place_blob(size_t len, unsigned seed);

/* Asserts that both have the same bytes, or that both are NULL. */
void place_assert_same_bytes(const struct blob *a, const struct blob *b);

/* Asserts that both are equal, including the bytes of body and result. */
void place_assert_same(const struct store_operation *a, const struct store_operation *b);

/* Copies of the operations that a load has passed on. */
#define FOUND_MAX 64
struct found {
	struct store_operation operations[FOUND_MAX];
	size_t count;
};

/* A store_load_fn, its argument is a struct found. */
void place_on_load(void *arg, const struct store_operation *from);
void found_fini(struct found *found);
