/* Tests of server/store/item_cache.c: which resources are found again, which ones a change drops, and how
 * many are kept. */
#include "store/shared/item_cache.h"

#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct scene {
	struct item_cache *cache;
	struct store_collection zones, sets; /* the parents of sets are zones */
};

static int
set_up(void **state)
{
	struct scene *scene = xcalloc(1, sizeof *scene);

	scene->cache = item_cache_new(64 * 1024);
	scene->zones.references = scene->sets.references = 1;
	scene->sets.parent = (char *)(uintptr_t) "zones";
	*state = scene;
	return 0;
}

static int
tear_down(void **state)
{
	struct scene *scene = *state;

	item_cache_unref(scene->cache);
	assert_int_equal(scene->zones.references, 1);
	assert_int_equal(scene->sets.references, 1);
	free(scene);
	return 0;
}

static struct store_read
begin(struct scene *scene, struct store_collection *collection, uint8_t id)
{
	return (struct store_read){.collection = collection,
		.id = {{id}},
		.parent = {{collection->parent ? 99 : 0}},
		.url = "u"};
}

static void
end(struct store_read *read, uint64_t version, const char *representation)
{
	read->version = version;
	read->representation = xstrdup(representation);
	item_cache_end_read(read);
	free(read->representation);
}

static void
fill(struct scene *scene, struct store_collection *collection, uint8_t id, const char *representation)
{
	struct store_read read = begin(scene, collection, id);

	item_cache_begin_read(scene->cache, &read);
	end(&read, id, representation);
}

static const struct store_item *
find(struct scene *scene, struct store_collection *collection, uint8_t id)
{
	struct id its = {{id}}, parent = {{99}};

	return item_cache_find(scene->cache, collection, &its, &parent, "u");
}

static void
change(struct scene *scene, uint8_t id, bool took_others)
{
	struct store_change change = {.id = {{id}}, .took_others = took_others};

	item_cache_drop(scene->cache, &change);
}

static void
test_found_again(void **state)
{
	struct scene *scene = *state;
	struct id id = {{1}}, none = {{0}}, set = {{2}}, parent = {{99}};

	assert_null(find(scene, &scene->zones, 1));
	fill(scene, &scene->zones, 1, "one");
	fill(scene, &scene->sets, 2, "two");
	const struct store_item *item = find(scene, &scene->zones, 1);
	assert_int_equal(item->version, 1);
	assert_int_equal(blob_len(item->representation), 3);
	assert_memory_equal(blob_data(item->representation), "one", 3);
	assert_null(find(scene, &scene->sets, 1));
	assert_null(item_cache_find(scene->cache, &scene->zones, &id, &none, "v"));
	assert_non_null(item_cache_find(scene->cache, &scene->sets, &set, &parent, "u"));
	assert_null(item_cache_find(scene->cache, &scene->sets, &set, &none, "u"));
	fill(scene, &scene->zones, 1, "again");
	assert_int_equal(blob_len(find(scene, &scene->zones, 1)->representation), 5);
}

static void
test_changes(void **state)
{
	struct scene *scene = *state;

	fill(scene, &scene->zones, 1, "one");
	fill(scene, &scene->zones, 2, "two");
	change(scene, 1, false);
	assert_null(find(scene, &scene->zones, 1));
	assert_non_null(find(scene, &scene->zones, 2));
	change(scene, 3, false);
	assert_non_null(find(scene, &scene->zones, 2));
}

/* Resources deleted with their parent are dropped; others stay. */
static void
test_children(void **state)
{
	struct scene *scene = *state;
	struct store_read child = begin(scene, &scene->sets, 7), other = begin(scene, &scene->zones, 8);

	fill(scene, &scene->zones, 1, "one");
	fill(scene, &scene->sets, 2, "two");
	fill(scene, &scene->sets, 3, "three");
	item_cache_begin_read(scene->cache, &child);
	item_cache_begin_read(scene->cache, &other);
	change(scene, 50, true);
	assert_non_null(find(scene, &scene->zones, 1));
	assert_null(find(scene, &scene->sets, 2));
	assert_null(find(scene, &scene->sets, 3));
	end(&child, 1, "old");
	end(&other, 1, "eight");
	assert_null(find(scene, &scene->sets, 7));
	assert_non_null(find(scene, &scene->zones, 8));
}

/* The result of a read that began before a change is not kept. */
static void
test_read_across_a_change(void **state)
{
	struct scene *scene = *state;
	struct store_read first = begin(scene, &scene->zones, 1), second = first, other = first;

	other.id = (struct id){{2}};
	item_cache_begin_read(scene->cache, &first);
	item_cache_begin_read(scene->cache, &other);
	change(scene, 1, false);
	item_cache_begin_read(scene->cache, &second);
	end(&first, 1, "old");
	assert_null(find(scene, &scene->zones, 1));
	end(&second, 2, "new");
	assert_int_equal(find(scene, &scene->zones, 1)->version, 2);
	end(&other, 1, "other");
	assert_non_null(find(scene, &scene->zones, 2));
}

static void
test_nothing_of_a_failed_read(void **state)
{
	struct scene *scene = *state;
	struct store_read read = begin(scene, &scene->zones, 1);

	item_cache_begin_read(scene->cache, &read);
	read.error = -5;
	item_cache_end_read(&read);
	assert_null(find(scene, &scene->zones, 1));
}

/* The entry unused for longest goes first; one that is too large is not kept. */
static void
test_bounds(void **state)
{
	struct scene *scene = *state;
	char large[2048], fair[500];
	unsigned kept = 0;

	memset(large, 'x', sizeof large);
	large[sizeof large - 1] = '\0';
	memset(fair, 'x', sizeof fair);
	fair[sizeof fair - 1] = '\0';
	fill(scene, &scene->zones, 1, large);
	assert_null(find(scene, &scene->zones, 1));
	for (uint8_t i = 1; i < 255; i++) {
		fill(scene, &scene->zones, i, fair);
		assert_non_null(find(scene, &scene->zones, 1));
	}
	for (uint8_t i = 1; i < 255; i++)
		kept += find(scene, &scene->zones, i) != NULL;
	assert_in_range(kept, 60, 64 * 1024 / sizeof fair);
	assert_null(find(scene, &scene->zones, 2));
	assert_non_null(find(scene, &scene->zones, 254));
	fill(scene, &scene->zones, 254, large);
	assert_null(find(scene, &scene->zones, 254));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_found_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_changes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_children, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_read_across_a_change, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nothing_of_a_failed_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bounds, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
