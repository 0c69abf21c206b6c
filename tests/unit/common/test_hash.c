/* Tests of common/hash.c. */
#include "common/hash.h"

#include "common/list.h"
#include "common/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct item {
	struct hash_node node;
	bool is_in; /* the test's own idea of whether it is in the table */
	unsigned seen;
};

/* A source of numbers that is the same in every run. */
static uint64_t seed;

static uint64_t
next_number(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return seed >> 33;
}

/* Spreads i over all bits, so that tables fill evenly. */
static uint64_t
spread(uint64_t i)
{
	return i * UINT64_C(0x9e3779b97f4a7c15);
}

static bool
is_found(const struct hash *hash, const struct item *item, uint64_t value)
{
	struct hash_node *node = hash_find(hash, value);

	while (node && node != &item->node) {
		assert_int_equal(node->hash, value);
		node = hash_find_next(node);
	}
	return node;
}

static void
on_see(struct hash_node *node, void *arg)
{
	container_of(node, struct item, node)->seen++;
	++*(size_t *)arg;
}

/* Every item is seen as often as it is in the table. */
static void
check_each(struct hash *hash, struct item *items, size_t count)
{
	size_t seen = 0;

	hash_each(hash, on_see, &seen);
	assert_int_equal(seen, hash->count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(items[i].seen, items[i].is_in);
		items[i].seen = 0;
	}
}

/* The vectors of the reference implementation: key 00 01 .. 0f, input 00 01 .., by length of the input. */
static void
test_siphash(void **state)
{
	static const struct {
		size_t len;
		uint64_t value;
	} vectors[] = {
		{0, UINT64_C(0x726fdb47dd0e0e31)},
		{1, UINT64_C(0x74f839c593dc67fd)},
		{2, UINT64_C(0x0d6c8009d9a94f5a)},
		{3, UINT64_C(0x85676696d7fb7e2d)},
		{4, UINT64_C(0xcf2794e0277187b7)},
		{5, UINT64_C(0x18765564cd99a68d)},
		{6, UINT64_C(0xcbc9466e58fee3ce)},
		{7, UINT64_C(0xab0200f58b01d137)},
		{8, UINT64_C(0x93f5f5799a932462)},
		{9, UINT64_C(0x9e0082df0ba9e4b0)},
		{15, UINT64_C(0xa129ca6149be45e5)},
		{16, UINT64_C(0x3f2acc7f57c29bdb)},
		{17, UINT64_C(0x699ae9f52cbe4794)},
		{31, UINT64_C(0x32d892fad841c342)},
		{32, UINT64_C(0x7127512f72f27cce)},
		{63, UINT64_C(0x958a324ceb064572)},
	};
	uint8_t key[16], input[65];

	for (size_t i = 0; i < sizeof key; i++)
		key[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		for (size_t at = 0; at < 2; at++) { /* aligned and not */
			for (size_t j = 0; j < vectors[i].len; j++)
				input[at + j] = (uint8_t)j;
			assert_int_equal(siphash(key, input + at, vectors[i].len), vectors[i].value);
		}
	}
}

static void
test_keys_differ(void **state)
{
	struct hash a, b;

	hash_init(&a);
	hash_init(&b);
	assert_memory_not_equal(a.key, b.key, sizeof a.key);
	assert_int_equal(hash_bytes(&a, "x", 1), siphash(a.key, "x", 1));
	assert_int_not_equal(hash_bytes(&a, "x", 1), hash_bytes(&b, "x", 1));
	hash_fini(&a);
	hash_fini(&b);
}

static void
test_empty(void **state)
{
	struct hash hash;
	size_t seen = 0;

	hash_init(&hash);
	assert_null(hash_find(&hash, 0));
	assert_null(hash_find(&hash, UINT64_MAX));
	hash_each(&hash, on_see, &seen);
	assert_int_equal(seen, 0);
	hash_fini(&hash);
}

/* Nodes of one value are all found, each once, whatever else is in their bucket and wherever the table is in
 * its growth. */
static void
test_equal_values(void **state)
{
	enum { COUNT = 1000, SAME = 7 };
	struct item *items = xcalloc(COUNT, sizeof *items);
	struct hash hash;

	hash_init(&hash);
	for (size_t i = 0; i < COUNT; i++) {
		size_t found = 0, wanted = i / SAME + 1;

		hash_add(&hash, &items[i].node, i % SAME << 40);
		for (struct hash_node *node = hash_find(&hash, i % SAME << 40); node;
			node = hash_find_next(node))
			found++;
		assert_int_equal(found, wanted);
		assert_null(hash_find(&hash, UINT64_C(1) << 60));
	}
	for (size_t i = 0; i < COUNT; i++) {
		assert_true(is_found(&hash, &items[i], i % SAME << 40));
		hash_remove(&hash, &items[i].node);
		assert_false(is_found(&hash, &items[i], i % SAME << 40));
	}
	assert_int_equal(hash.count, 0);
	hash_fini(&hash);
	free(items);
}

/* Through growth from the first buckets on: the move stays bounded, and ends before the next begins. */
static void
test_growth(void **state)
{
	enum { COUNT = 70000 };
	struct item *items = xcalloc(COUNT, sizeof *items);
	size_t moved = 0, growths = 0;
	struct hash hash;

	hash_init(&hash);
	for (size_t i = 0; i < COUNT; i++) {
		struct hash_node **old = hash.old;
		size_t mask = hash.mask;

		hash_add(&hash, &items[i].node, spread(i));
		if (hash.mask != mask) {
			assert_null(old);
			moved = 0;
			growths++;
		}
		if (hash.old) {
			assert_in_range(hash.moved - moved, 1, 8);
			moved = hash.moved;
		}
		assert_true(hash.count <= hash.mask + 1);
		for (int j = 0; j < 4; j++) {
			size_t other = next_number() % (i + 1);
			assert_true(is_found(&hash, &items[other], spread(other)));
		}
		assert_null(hash_find(&hash, spread(i + 1)));
	}
	assert_true(growths > 8);
	hash_fini(&hash);
	free(items);
}

/* Adds, removes and walks at random, against a plain array. */
static void
test_against_array(void **state)
{
	enum { COUNT = 3000, STEPS = 60000 };
	struct item *items = xcalloc(COUNT, sizeof *items);
	size_t count = 0;
	struct hash hash;

	hash_init(&hash);
	for (size_t step = 0; step < STEPS; step++) {
		size_t i = next_number() % COUNT;
		uint64_t value = spread(i / 2); /* two of each value */

		assert_int_equal(is_found(&hash, &items[i], value), items[i].is_in);
		if (items[i].is_in)
			hash_remove(&hash, &items[i].node);
		else
			hash_add(&hash, &items[i].node, value);
		items[i].is_in = !items[i].is_in;
		count += items[i].is_in ? 1 : -(size_t)1;
		assert_int_equal(hash.count, count);
		if (step % 1009 == 0)
			check_each(&hash, items, COUNT);
	}
	check_each(&hash, items, COUNT);
	hash_fini(&hash);
	free(items);
}

struct sweep {
	struct hash *hash;
	size_t kept, removed;
};

static void
on_sweep(struct hash_node *node, void *arg)
{
	struct sweep *sweep = arg;

	if (node->hash & UINT64_C(1) << 62) {
		sweep->kept++;
		return;
	}
	hash_remove(sweep->hash, node);
	memset(node, 0xa5, sizeof *node);
	sweep->removed++;
}

/* A walk that removes what it is given, begun at every point of a growth. */
static void
test_remove_in_walk(void **state)
{
	enum { COUNT = 400 };
	struct item items[COUNT];

	for (size_t count = 0; count <= COUNT; count++) {
		struct hash hash;
		struct sweep sweep = {&hash, 0, 0};
		size_t kept = 0;

		hash_init(&hash);
		for (size_t i = 0; i < count; i++) {
			hash_add(&hash, &items[i].node, spread(i));
			kept += spread(i) >> 62 & 1;
		}
		hash_each(&hash, on_sweep, &sweep);
		assert_int_equal(sweep.kept, kept);
		assert_int_equal(sweep.removed, count - kept);
		assert_int_equal(hash.count, kept);
		for (size_t i = 0; i < count; i++)
			assert_int_equal(is_found(&hash, &items[i], spread(i)), spread(i) >> 62 & 1);
		hash_fini(&hash);
	}
}

/* Every node is found while the table grows to a million. */
static void
test_growth_to_a_million(void **state)
{
	enum { COUNT = 1 << 20 };
	struct item *items = xcalloc(COUNT, sizeof *items);
	struct hash hash;

	(void)state;
	hash_init(&hash);
	for (size_t i = 0; i < COUNT; i++) {
		size_t other = next_number() % (i + 1);

		hash_add(&hash, &items[i].node, spread(i));
		assert_true(is_found(&hash, &items[other], spread(other)));
	}
	for (size_t i = 0; i < COUNT; i++)
		assert_true(is_found(&hash, &items[i], spread(i)));
	hash_fini(&hash);
	free(items);
}

/* Frees at every point of a growth, of small tables and of large ones: a leak checker sees what is
 * forgotten. */
static void
test_fini_in_growth(void **state)
{
	enum { COUNT = 600000 };
	struct item *items = xcalloc(COUNT, sizeof *items);
	static const size_t counts[] = {0, 1, 64, 65, 66, 80, 81, 129, 8192, 8193, 8194, 9000, 10240, 10241,
		16385, 17000, 18500, 20481, 32769, 34816, 34818, 36864, 40000, 262144, 262145, 300000, 327681,
		524289, 600000};

	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		struct hash hash;

		hash_init(&hash);
		for (size_t j = 0; j < counts[i]; j++)
			hash_add(&hash, &items[j].node, spread(j));
		hash_fini(&hash);
		assert_null(hash.buckets);
		hash_fini(&hash);
	}
	free(items);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_siphash),
		cmocka_unit_test(test_keys_differ),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_equal_values),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_growth_to_a_million),
		cmocka_unit_test(test_against_array),
		cmocka_unit_test(test_remove_in_walk),
		cmocka_unit_test(test_fini_in_growth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
