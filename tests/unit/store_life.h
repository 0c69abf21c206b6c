/* What tests of the whole store stand on: a store in a place of its own, and the life of an operation in it. */
#pragma once

#include "store_place.h"

/* A place, a store in it, and what happened there. */
struct life {
	struct place place;
	struct store *store;
	struct found found; /* when the store was opened last */
	unsigned count;	    /* completions */
};

/* For cmocka: a life becomes *state. */
int life_set_up(void **state);
int life_tear_down(void **state);

/* Opens the store; found is what was in it. */
void life_open(struct life *life);

/* Closes and opens again: what is found then is what was durable. */
void life_reopen(struct life *life);

/* Accept, begin and end an operation, and wait for that; an accept must succeed. */
void life_accept(struct life *life, const struct store_operation *operation);
int life_begin(struct life *life, const struct store_operation *operation, int64_t started_ms);
int life_end(struct life *life, const struct store_operation *operation);

/* What place_operation and place_end make together. */
struct store_operation life_ended(uint64_t sequence);

/* A restart finds that operation, and no other. */
void life_assert_found(struct life *life, const struct store_operation *wanted);
