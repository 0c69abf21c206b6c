/* For tests of the whole store (store.h): a store in a place, and the life of an operation in it. */
#pragma once

#include "tests/unit/server/store/store_place.h"

/* A place and a store in it. */
struct life {
	struct place place;
	struct store *store;
	struct found found; /* what was found when the store was last opened */
	unsigned count;	    /* number of completions */
};

/* For cmocka: a life becomes *state. */
int life_set_up(void **state);
int life_tear_down(void **state);

/* Opens the store; found is then its contents. */
void life_open(struct life *life);

/* Closes and opens the store again: found is then what was durable. */
void life_reopen(struct life *life);

/* Accept, begin and end an operation, and wait for the completion; an accept must succeed. */
void life_accept(struct life *life, const struct store_operation *operation);
int life_begin(struct life *life, const struct store_operation *operation, int64_t started_ms);
int life_end(struct life *life, const struct store_operation *operation);

/* place_operation and place_end together. */
struct store_operation life_ended(uint64_t sequence);

/* Asserts that a restart finds that operation, and no other. */
void life_assert_found(struct life *life, const struct store_operation *wanted);
