/*
 * The hash table.  It doubles when there are as many nodes as buckets.  Each change then moves the next few
 * old buckets, so the move ends long before the new array is full.  A hash value belongs to exactly one
 * bucket at any moment: the old one until that is moved, then the new one.  All nodes of one value are
 * therefore in one chain.  The table never shrinks.
 *
 * The C library maps a large array, so it is zero without being written, and gives it back in one call.
 */
#include "common/hash.h"

#include "common/id.h"
#include "common/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS_MIN 64
#define MOVES_PER_CHANGE 4

struct sip {
	uint64_t v[4];
};

static uint64_t
rotate_left(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static void
sip_round(struct sip *sip)
{
	uint64_t *v = sip->v;

	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate_left(v[1], 13) ^ v[0];
	v[3] = rotate_left(v[3], 16) ^ v[2];
	v[0] = rotate_left(v[0], 32) + v[3];
	v[2] += v[1];
	v[1] = rotate_left(v[1], 17) ^ v[2];
	v[3] = rotate_left(v[3], 21) ^ v[0];
	v[2] = rotate_left(v[2], 32);
}

static uint64_t
read_le(const uint8_t *bytes, size_t len)
{
	uint64_t value = 0;

	for (size_t i = 0; i < len; i++)
		value |= (uint64_t)bytes[i] << (8 * i);
	return value;
}

static void
sip_add(struct sip *sip, uint64_t word)
{
	sip->v[3] ^= word;
	sip_round(sip);
	sip_round(sip);
	sip->v[0] ^= word;
}

uint64_t
siphash(const uint8_t key[static 16], const void *data, size_t len)
{
	const uint8_t *bytes = data;
	uint64_t k0 = read_le(key, 8);
	uint64_t k1 = read_le(key + 8, 8);
	struct sip sip = {{k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
		k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573)}};
	size_t tail = len % 8;

	for (size_t i = 0; i < len - tail; i += 8)
		sip_add(&sip, read_le(bytes + i, 8));
	sip_add(&sip, (uint64_t)len << 56 | (tail ? read_le(bytes + len - tail, tail) : 0));
	sip.v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(&sip);
	return sip.v[0] ^ sip.v[1] ^ sip.v[2] ^ sip.v[3];
}

void
hash_init(struct hash *hash)
{
	memset(hash, 0, sizeof *hash);
	hash->buckets = xcalloc(BUCKETS_MIN, sizeof *hash->buckets);
	hash->mask = BUCKETS_MIN - 1;
	random_bytes(hash->key, sizeof hash->key);
}

void
hash_fini(struct hash *hash)
{
	free(hash->buckets);
	free(hash->old);
	memset(hash, 0, sizeof *hash);
}

uint64_t
hash_bytes(const struct hash *hash, const void *data, size_t len)
{
	return siphash(hash->key, data, len);
}

/* The one bucket that value belongs to now. */
static struct hash_node **
bucket_of(const struct hash *hash, uint64_t value)
{
	if (hash->old && (value & hash->old_mask) >= hash->moved)
		return &hash->old[value & hash->old_mask];
	return &hash->buckets[value & hash->mask];
}

static void
move_bucket(struct hash *hash)
{
	struct hash_node *node = hash->old[hash->moved++];

	while (node) {
		struct hash_node *next = node->next;
		struct hash_node **bucket = &hash->buckets[node->hash & hash->mask];

		node->next = *bucket;
		*bucket = node;
		node = next;
	}
	if (hash->moved <= hash->old_mask)
		return;
	free(hash->old);
	hash->old = NULL;
}

static void
move_some(struct hash *hash)
{
	for (int i = 0; i < MOVES_PER_CHANGE && hash->old; i++)
		move_bucket(hash);
}

static void
grow(struct hash *hash)
{
	size_t count = (hash->mask + 1) * 2;

	hash->old = hash->buckets;
	hash->old_mask = hash->mask;
	hash->moved = 0;
	hash->buckets = xcalloc(count, sizeof *hash->buckets);
	hash->mask = count - 1;
}

void
hash_add(struct hash *hash, struct hash_node *node, uint64_t value)
{
	struct hash_node **bucket;

	if (hash->count > hash->mask && !hash->old)
		grow(hash);
	move_some(hash);
	bucket = bucket_of(hash, value);
	node->hash = value;
	node->next = *bucket;
	*bucket = node;
	hash->count++;
}

void
hash_remove(struct hash *hash, struct hash_node *node)
{
	struct hash_node **link = bucket_of(hash, node->hash);

	while (*link != node) {
		assert(*link);
		link = &(*link)->next;
	}
	*link = node->next;
	node->next = NULL;
	hash->count--;
	move_some(hash);
}

static struct hash_node *
first_of(struct hash_node *node, uint64_t value)
{
	while (node && node->hash != value)
		node = node->next;
	return node;
}

struct hash_node *
hash_find(const struct hash *hash, uint64_t value)
{
	return first_of(*bucket_of(hash, value), value);
}

struct hash_node *
hash_find_next(const struct hash_node *node)
{
	return first_of(node->next, node->hash);
}

void
hash_each(struct hash *hash, void (*fn)(struct hash_node *node, void *arg), void *arg)
{
	/* A removal in fn would go on with a move and take nodes past the walk: so the move ends first. */
	while (hash->old)
		move_bucket(hash);
	for (size_t i = 0; i <= hash->mask; i++) {
		struct hash_node *node = hash->buckets[i];

		while (node) {
			struct hash_node *next = node->next;

			fn(node, arg);
			node = next;
		}
	}
}
