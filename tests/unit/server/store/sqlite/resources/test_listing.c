/* Tests of server/store/listing.c and indexes.c: pages of resources, and the indexes that lists want. */
#include "tests/unit/server/store/sqlite/resources/resource_scene.h"

#include "common/cleanup.h"
#include "common/json/json.h"

#include <errno.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static unsigned listed_count;

static void
on_listed(struct store_list *list)
{
	listed_count++;
}

/* Asserts the names on a page, one letter each. */
static void
assert_list(struct scene *scene, struct store_list *list, const char *names, uint64_t total)
{
	struct text found = {0};

	list->collection = &scene->zones;
	list->url = (char *)(uintptr_t) "http://h";
	list->done = on_listed;
	listed_count = 0;
	store_list(scene->store, list);
	place_wait(&scene->place, &listed_count, 1);
	assert_int_equal(list->error, 0);
	text_add_string(&found, "");
	for (const char *at = list->items.data; at && (at = strstr(at, "\"name\":\"")); at++)
		text_add_char(&found, at[8]);
	assert_string_equal(found.data, names);
	assert_int_equal(list->total, total);
	text_fini(&found);
	text_fini(&list->items);
}

static void
test_lists(void **state)
{
	struct scene *scene = *state;
	struct store_filter filter = {(char *)(uintptr_t) "k", (char *)(uintptr_t) "1"};
	char sort_key[] = "k";

	for (unsigned i = 0; i < 6; i++) {
		CLEANUP_FREE char *document = xasprintf("{\"name\":\"%c\",\"k\":%u}", 'a' + i, i % 2);
		assert_int_equal(scene_make(scene, &scene->zones, STORE_CREATE, 6 - i, 0, document), 0);
	}
	assert_list(scene, &(struct store_list){.limit = 9}, "abcdef", 6);
	struct store_list page = {.limit = 4};
	assert_list(scene, &page, "abcd", 6);
	assert_true(page.has_more);
	assert_list(
		scene, &(struct store_list){.limit = 4, .has_marker = true, .marker = page.last}, "ef", 6);
	assert_list(scene, &(struct store_list){.limit = 9, .descending = true}, "fedcba", 6);
	assert_list(scene, &(struct store_list){.limit = 9, .filters = &filter, .filter_count = 1}, "bdf", 3);
	assert_list(scene, &(struct store_list){.limit = 9, .sort_key = sort_key}, "acebdf", 6);
	for (unsigned limit = 1; limit < 6; limit++) {
		struct store_list first = {.limit = limit, .sort_key = sort_key};
		CLEANUP_FREE char *names = xstrndup("acebdf", limit);
		assert_list(scene, &first, names, 6);
		assert_list(scene,
			&(struct store_list){
				.limit = 9, .sort_key = sort_key, .has_marker = true, .marker = first.last},
			&"acebdf"[limit], 6);
	}
}

static int
on_name(void *arg, int count, char **values, char **names)
{
	text_addf(arg, "%s;", values[0]);
	return 0;
}

static void
assert_indexes(struct scene *scene, const char *wanted)
{
	struct text found = {0};
	sqlite3 *handle;

	/* Everything handed over before this change has been done. */
	assert_int_equal(scene_make(scene, &scene->sets, STORE_DELETE, 1, 1, NULL), -ENOENT);
	text_add_string(&found, "");
	assert_int_equal(sqlite3_open(scene->place.path, &handle), SQLITE_OK);
	assert_int_equal(sqlite3_exec(handle,
				 "SELECT name FROM sqlite_schema WHERE name GLOB 'resource_by_member*'"
				 " ORDER BY name",
				 on_name, &found, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_close(handle), SQLITE_OK);
	assert_string_equal(found.data, wanted);
	text_fini(&found);
}

/* Indexes come and go with the configuration; those of other collections stay. */
static void
test_indexes(void **state)
{
	static const char *const other[] = {"other 'member", NULL}, *const no_names[] = {NULL};
	struct scene *scene = *state;

	assert_indexes(scene, "resource_by_member sets name;resource_by_member zones name;");
	scene->zones.index = (char **)(uintptr_t)other;
	assert_int_equal(store_add_collection(scene->store, &scene->zones), 0);
	assert_indexes(scene, "resource_by_member sets name;resource_by_member zones other 'member;");
	scene->zones.index = (char **)(uintptr_t)no_names;
	assert_int_equal(store_add_collection(scene->store, &scene->zones), 0);
	assert_indexes(scene, "resource_by_member sets name;");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_BOTH(test_lists),
		cmocka_unit_test_setup_teardown(test_indexes, scene_set_up_disk, scene_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
