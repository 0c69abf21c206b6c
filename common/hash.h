/*
 * An intrusive hash table with a keyed hash (SipHash-2-4): clients cannot choose keys that collide.
 * When the table grows, each change moves a few buckets, so no single call is noticeably slower.  One thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct hash_node {
	struct hash_node *next; /* in its bucket */
	uint64_t hash;
};

struct hash {
	struct hash_node **buckets; /* new nodes and those already moved are here */
	size_t mask;		    /* number of buckets less one */
	struct hash_node **old; /* the smaller array that nodes are moved from; NULL: no move is under way */
	size_t old_mask;
	size_t moved; /* buckets of old that are already empty */
	size_t count;
	uint8_t key[16];
};

/* Makes an empty table with a random key; aborts when memory is out. */
void hash_init(struct hash *hash);

/* Frees the buckets.  The nodes stay the caller's. */
void hash_fini(struct hash *hash);

/* Returns the table's hash of len bytes, which the calls below take as value. */
uint64_t hash_bytes(const struct hash *hash, const void *data, size_t len);

/* Adds a node under a hash value; several nodes may have the same value.  Never fails. */
void hash_add(struct hash *hash, struct hash_node *node, uint64_t value);

/* Removes a node that is in the table. */
void hash_remove(struct hash *hash, struct hash_node *node);

/* Return the first node of a hash value and the next one of the same value; NULL: no more.  The caller
 * compares the keys. */
struct hash_node *hash_find(const struct hash *hash, uint64_t value);
struct hash_node *hash_find_next(const struct hash_node *node);

/* Calls fn for every node.  fn may remove and free its own node, but must not change the table otherwise.
 * Finishes a move that is under way, so it is not for the event loop. */
void hash_each(struct hash *hash, void (*fn)(struct hash_node *node, void *arg), void *arg);

/* SipHash-2-4 of len bytes under a 16-byte key (Aumasson and Bernstein, 2012).  Any thread. */
uint64_t siphash(const uint8_t key[static 16], const void *data, size_t len);
