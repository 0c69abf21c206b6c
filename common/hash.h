/*
 * An intrusive hash table with a keyed hash (SipHash-2-4), so that nobody outside can choose collisions.
 * It grows a few buckets at each change instead of all at once: no call takes noticeably longer than another.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct huge_spare;

struct hash_node {
	struct hash_node *next; /* in its bucket */
	uint64_t hash;
};

struct hash {
	struct hash_node **buckets; /* where nodes are, and those of old will be */
	size_t mask;		    /* number of buckets less one */
	struct hash_node **old;	    /* what is still to be moved from; NULL when nothing is */
	size_t old_mask;
	size_t moved; /* buckets of old that are already empty */
	size_t count;
	struct huge_spare *
		next; /* makes a large array ready before it is grown into; NULL: it is made when it is wanted */
	uint8_t key[16];
};

/* Makes an empty table with a random key; aborts when memory is out. */
void hash_init(struct hash *hash);

/* Frees the buckets; the nodes are the caller's. */
void hash_fini(struct hash *hash);

/* The table's hash of len bytes: what the calls below want. */
uint64_t hash_bytes(const struct hash *hash, const void *data, size_t len);

void hash_add(struct hash *hash, struct hash_node *node, uint64_t value);
void hash_remove(struct hash *hash, struct hash_node *node);

/* Walks the nodes of one hash value: first, then next until NULL.  The caller compares the keys. */
struct hash_node *hash_find(const struct hash *hash, uint64_t value);
struct hash_node *hash_find_next(const struct hash_node *node);

/* Calls fn for every node; fn may remove (and free) the node it was given, and nothing else. */
void hash_each(struct hash *hash, void (*fn)(struct hash_node *node, void *arg), void *arg);

/* SipHash-2-4 of len bytes under a 16-byte key (Aumasson and Bernstein, 2012).  Any thread. */
uint64_t siphash(const uint8_t key[static 16], const void *data, size_t len);
