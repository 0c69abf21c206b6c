/* Tests of server/store/disk.c: how the parts of one write share its fate, with the resources on disk. */
#include "tests/unit/server/store/sqlite/disk/faulty_vfs.h"
#include "tests/unit/server/store/sqlite/resources/resource_scene.h"

#include "common/text.h"

#include <errno.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define LARGE (BLOB_SPILL_BYTES + 1000)

static int
set_up(void **state)
{
	faulty_install();
	faulty_clear();
	return scene_set_up_disk(state);
}

static int
tear_down(void **state)
{
	faulty_clear();
	return scene_tear_down(state);
}

/* A blob whose file has been removed. */
static struct blob *
missing_blob(struct scene *scene)
{
	struct blob *memory = place_blob(LARGE, 1), *file = NULL;
	struct blob_sink sink;

	blob_sink_init(&sink, store_spool_fd(scene->store), UINT64_MAX);
	assert_int_equal(blob_sink_write(&sink, blob_data(memory), blob_len(memory)), 0);
	assert_int_equal(blob_sink_finish(&sink, &file), 0);
	blob_unref(memory);
	assert_int_equal(unlinkat(store_spool_fd(scene->store), blob_name(file), 0), 0);
	return file;
}

/* An accept that is refused because its body is gone leaves no resource. */
static void
test_body_is_gone(void **state)
{
	struct scene *scene = *state;
	struct store_change *change = scene_change(&scene->zones, STORE_CREATE, 1, 0, "{\"name\":\"a\"}");
	struct store_operation operation = place_operation(1);
	unsigned count = 0;
	struct outcome outcome = {.count = &count};

	operation.change = change;
	operation.body = missing_blob(scene);
	store_accept(scene->store, &operation, outcome_done, &outcome);
	place_wait(&scene->place, &count, 1);
	assert_int_equal(outcome.error, -EIO);
	scene_assert_missing(scene, &scene->zones, 1, 0);
	blob_unref(operation.body);
	store_change_free(change);
}

/* An end that is refused because its result is gone leaves the change pending; another end settles it. */
static void
test_result_is_gone(void **state)
{
	struct scene *scene = *state;
	struct store_change *change = scene_change(&scene->zones, STORE_CREATE, 1, 0, "{\"name\":\"a\"}");
	struct store_operation operation = place_end(1);
	unsigned count = 0;
	struct outcome outcome = {.count = &count};

	assert_int_equal(scene_accept(scene, 1, change), 0);
	change->failed = true;
	operation.change = change;
	operation.result = missing_blob(scene);
	store_end(scene->store, &operation, outcome_done, &outcome);
	place_wait(&scene->place, &count, 1);
	assert_int_equal(outcome.error, -EIO);
	scene_assert_resource(scene, 1, STORE_PENDING, 1, "{\"name\":\"a\"}");
	blob_unref(operation.result);
	assert_int_equal(scene_end(scene, 1, change, NULL), 0);
	scene_assert_resource(scene, 1, STORE_ERROR, 1, "{\"name\":\"a\"}");
	store_change_free(change);
}

/* An end that failed because of another change of its group succeeds once that one has been undone. */
static void
test_end_is_tried_again(void **state)
{
	struct scene *scene = *state;
	struct store_change *change = scene_change(&scene->zones, STORE_CREATE, 1, 0, "{\"name\":\"a\"}");
	struct store_change *other = scene_change(&scene->zones, STORE_CREATE, 2, 0, "{\"name\":\"b\"}");
	struct store_operation operation = place_end(1);
	struct found found = {.count = 0};
	unsigned count = 0;
	struct outcome outcomes[2] = {{.count = &count}, {.count = &count}};
	char *why = NULL;

	assert_int_equal(scene_accept(scene, 1, change), 0);
	change->answer = blob_new("{\"name\":\"b\"}", strlen("{\"name\":\"b\"}"));
	operation.change = change;
	operation.end = "succeeded";
	faulty_fail(FAULTY_WRITE, FAULTY_LOG, 0, 2, SQLITE_FULL);
	store_change(scene->store, other, outcome_done, &outcomes[0]);
	store_end(scene->store, &operation, outcome_done, &outcomes[1]);
	place_wait(&scene->place, &count, 2);
	assert_int_equal(outcomes[0].error, -ENOSPC);
	assert_int_equal(outcomes[1].error, 0);
	assert_false(change->end_failed);
	scene_assert_resource(scene, 1, STORE_ACTIVE, 1, "{\"name\":\"b\"}");

	store_close(scene->store);
	struct store_config config = {.path = scene->place.path, .mailbox = scene->place.mailbox};
	assert_int_equal(store_open(&config, &scene->store, &why), 0);
	assert_int_equal(store_load(scene->store, place_on_load, &found, &why), 0);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.operations[0].status, 201);
	assert_string_equal(found.operations[0].end, "succeeded");
	found_fini(&found);
	store_change_free(change);
	store_change_free(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_body_is_gone),
		TEST(test_result_is_gone),
		TEST(test_end_is_tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
