/* Tests of server/store/writer.c: which writes go together, and in which order. */
#include "tests/unit/server/store/sqlite/disk/faulty_vfs.h"
#include "tests/unit/server/store/writer/store_writing.h"

#include "common/text.h"

#include <errno.h>
#include <event2/event.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define LARGE (BLOB_SPILL_BYTES + 1000)

/* While one commit is on its way the next group gathers: two commits, however many writes. */
static void
test_group(void **state)
{
	struct writing *scene = *state;
	struct outcome outcomes[100];
	struct store_stats stats;

	faulty_hold();
	writing_accept(scene, 1, &outcomes[0]);
	place_end_pass(&scene->place);
	faulty_wait_held();
	for (unsigned i = 1; i < 100; i++)
		writing_accept(scene, i + 1, &outcomes[i]);
	place_end_pass(&scene->place);
	faulty_release();
	writing_wait_for(scene, 100);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(outcomes[i].order, i + 1);
	writer_get_stats(scene->writer, &stats);
	assert_int_equal(stats.commits, 2);
}

/* Writes of one turn of the loop are written together and complete in one turn. */
static void
test_pass(void **state)
{
	enum { COUNT = 100 };
	struct writing *scene = *state;
	struct outcome outcomes[COUNT];
	struct store_stats stats;

	for (unsigned i = 0; i < COUNT; i++)
		writing_accept(scene, i + 1, &outcomes[i]);
	writer_get_stats(scene->writer, &stats);
	assert_int_equal(stats.waiting, 0);
	while (scene->count == 0)
		event_base_loop(scene->place.base, EVLOOP_ONCE);
	assert_int_equal(scene->count, COUNT);
	writer_get_stats(scene->writer, &stats);
	assert_int_equal(stats.commits, 1);
}

/* The writer is stopped in the middle of a turn. */
static void
test_stop_within_a_pass(void **state)
{
	struct writing *scene = *state;
	struct outcome outcomes[2];

	writing_accept(scene, 1, &outcomes[0]);
	writing_accept(scene, 2, &outcomes[1]);
	writing_assert_kept(scene, (uint64_t[]){1, 2}, 2);
	assert_int_equal(scene->count, 2);
	writing_accept(scene, 3, &outcomes[0]);
	writing_wait_for(scene, 3);
	assert_int_equal(outcomes[0].error, 0);
}

/* A crowd of forgettings does not hold up an accept that was handed over after them. */
static void
test_housekeeping_waits(void **state)
{
	enum { CROWD = 1000 };
	struct writing *scene = *state;
	struct outcome outcomes[3];
	struct store_stats stats;

	/* the first commit of a log syncs twice */
	writing_accept(scene, 1, &outcomes[0]);
	writing_wait_for(scene, 1);
	faulty_hold();
	writing_accept(scene, 2, &outcomes[1]);
	place_end_pass(&scene->place);
	faulty_wait_held();
	for (unsigned i = 0; i < CROWD; i++)
		writing_bare(scene, STORE_FORGET, 1000 + i, NULL);
	writing_accept(scene, 3, &outcomes[2]);
	place_end_pass(&scene->place);
	faulty_step();
	faulty_wait_held();
	writer_get_stats(scene->writer, &stats);
	assert_int_equal(stats.waiting, CROWD + 1);
	faulty_step();
	writing_wait_for(scene, 3);
	faulty_release();
	writing_assert_kept(scene, (uint64_t[]){1, 2, 3}, 3);
}

/* Many writes at once are written in order, although a group is smaller and expiries come last in it. */
static void
test_forgetting_does_not_overtake(void **state)
{
	enum { COUNT = 1000 };
	struct writing *scene = *state;
	struct outcome *outcomes = xcalloc(2 * COUNT + 1, sizeof *outcomes);
	struct found found = {.count = 0};

	faulty_hold();
	writing_accept(scene, 1, &outcomes[0]);
	place_end_pass(&scene->place);
	faulty_wait_held();
	for (unsigned i = 0; i < COUNT; i++) {
		writing_accept(scene, i + 2, &outcomes[1 + 2 * i]);
		writing_end(scene, i + 2, &outcomes[2 + 2 * i]);
		writing_bare(scene, STORE_EXPIRE, i + 2, NULL);
		if (i < COUNT - 10)
			writing_bare(scene, STORE_FORGET, i + 2, NULL);
	}
	faulty_release();
	writing_wait_for(scene, 2 * COUNT + 1);
	for (unsigned i = 0; i < 2 * COUNT + 1; i++)
		assert_int_equal(outcomes[i].error, 0);
	writing_restart(scene, &found);
	assert_int_equal(found.count, 11);
	for (size_t i = 1; i < found.count; i++)
		assert_int_equal(found.operations[i].state, STORE_TOMBSTONE);
	found_fini(&found);
	free(outcomes);
}

/* A write that fails does not make the others of its group fail. */
static void
test_one_fails_alone(void **state)
{
	struct writing *scene = *state;
	struct outcome outcomes[4];
	struct store_operation large = place_operation(3);

	faulty_hold();
	writing_accept(scene, 1, &outcomes[0]);
	place_end_pass(&scene->place);
	faulty_wait_held();
	assert_int_equal(rmdir(scene->place.spool_path), 0);
	large.body = place_blob(LARGE, 1);
	writing_accept(scene, 2, &outcomes[1]);
	writing_post(scene, STORE_ACCEPT, &large, &outcomes[2]);
	writing_accept(scene, 4, &outcomes[3]);
	blob_unref(large.body);
	faulty_release();
	writing_wait_for(scene, 4);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(outcomes[i].order, i + 1);
		assert_int_equal(outcomes[i].error, i == 2 ? -EIO : 0);
	}
	assert_int_equal(scene->reports, 0);
	assert_true(writer_is_healthy(scene->writer));
	writing_assert_kept(scene, (uint64_t[]){1, 2, 4}, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, writing_set_up, writing_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_group),
		TEST(test_pass),
		TEST(test_stop_within_a_pass),
		TEST(test_housekeeping_waits),
		TEST(test_forgetting_does_not_overtake),
		TEST(test_one_fails_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
