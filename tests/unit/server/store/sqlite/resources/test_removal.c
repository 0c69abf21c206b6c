/* Tests of server/store/removal.c: dependents of a deleted resource are hidden at once, and removed after as
 * many steps as that takes. */
#include "tests/unit/server/store/sqlite/disk/faulty_vfs.h"
#include "tests/unit/server/store/sqlite/resources/resource_scene.h"

#include "common/cleanup.h"
#include "store/sqlite/disk/open.h"
#include "store/sqlite/resources/changes.h"
#include "store/sqlite/resources/judge.h"
#include "store/sqlite/resources/removal.h"

#include <errno.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ZONE = 1, OTHER_ZONE, SET = 100, RECORD = 10000, MANY = 2 * REMOVAL_STEP };

/* The resources without a writer: tests take the steps of a removal themselves. */
struct rig {
	struct scene *scene;
	struct database *database;
	struct changes *changes;
	struct statements statements; /* for the tests' own queries */
	struct store_collection records;
};

static char *no_names[] = {NULL}, *above_records[] = {(char *)(uintptr_t) "zones", NULL};

static void
open_rig(struct rig *rig)
{
	char *why = NULL;

	assert_int_equal(database_open(rig->scene->place.path, &rig->database, &why), 0);
	assert_int_equal(changes_open(rig->database, &rig->changes), 0);
	assert_int_equal(changes_check(rig->changes, &why), 0);
	assert_int_equal(statements_prepare(&rig->statements, rig->database), 0);
}

static void
close_rig(struct rig *rig)
{
	statements_finalize(&rig->statements);
	changes_close(rig->changes);
	database_close(rig->database);
}

static int
set_up(void **state)
{
	struct rig *rig = xcalloc(1, sizeof *rig);

	assert_int_equal(scene_set_up_disk((void **)&rig->scene), 0);
	store_close(rig->scene->store);
	rig->scene->store = NULL;
	rig->records = rig->scene->sets;
	rig->records.name = (char *)(uintptr_t) "records";
	rig->records.parent = (char *)(uintptr_t) "sets";
	rig->records.above = above_records;
	rig->records.unique = rig->records.index = no_names;
	open_rig(rig);
	*state = rig;
	return 0;
}

static int
tear_down(void **state)
{
	struct rig *rig = *state;

	close_rig(rig);
	place_fini(&rig->scene->place);
	free(rig->scene);
	free(rig);
	return 0;
}

static int
make(struct rig *rig, struct store_collection *collection, enum store_action action, unsigned id,
	unsigned parent, const char *document)
{
	struct store_change *change = scene_change(collection, action, id, parent, document);
	int rc = changes_apply(rig->changes, change);

	store_change_free(change);
	return rc;
}

/* Begins a transaction, or ends it. */
static void
begin(struct rig *rig)
{
	assert_int_equal(database_begin(rig->database), 0);
}

static void
commit(struct rig *rig)
{
	assert_int_equal(changes_finish(rig->changes), 0);
	assert_int_equal(database_commit(rig->database), 0);
}

/* Makes a zone with so many sets, the last of which has so many records, and another zone. */
static void
fill(struct rig *rig, unsigned sets, unsigned records)
{
	begin(rig);
	assert_int_equal(make(rig, &rig->scene->zones, STORE_CREATE, ZONE, 0, "{\"name\":\"z\"}"), 0);
	assert_int_equal(make(rig, &rig->scene->zones, STORE_CREATE, OTHER_ZONE, 0, "{\"name\":\"o\"}"), 0);
	for (unsigned i = 0; i < sets; i++) {
		CLEANUP_FREE char *document = xasprintf("{\"name\":\"s%u\"}", i);
		assert_int_equal(make(rig, &rig->scene->sets, STORE_CREATE, SET + i, ZONE, document), 0);
	}
	for (unsigned i = 0; i < records; i++)
		assert_int_equal(make(rig, &rig->records, STORE_CREATE, RECORD + i, SET + sets - 1, "{}"), 0);
	commit(rig);
}

static void
delete_zone(struct rig *rig)
{
	begin(rig);
	assert_int_equal(make(rig, &rig->scene->zones, STORE_DELETE, ZONE, 0, NULL), 0);
	commit(rig);
}

static int
count(struct rig *rig, const char *table)
{
	CLEANUP_FREE char *sql = xasprintf("SELECT count(*) FROM %s", table);
	sqlite3_stmt *statement;

	assert_int_equal(database_prepare(rig->database, sql, &statement), 0);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	int found = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return found;
}

/* Asserts that a resource is hidden: it cannot be changed, and its parent takes no new one. */
static void
assert_hidden(struct rig *rig, struct store_collection *collection, unsigned id, unsigned parent)
{
	struct id of_parent = scene_id(parent);

	assert_int_equal(removal_look(&rig->statements, collection, &of_parent), -ENOENT);
	assert_int_equal(make(rig, collection, STORE_UPDATE, id, parent, "{}"), -ENOENT);
	assert_int_equal(make(rig, collection, STORE_DELETE, id, parent, NULL), -ENOENT);
	assert_int_equal(make(rig, collection, STORE_CREATE, 1 + id, parent, "{}"), -ENOENT);
}

static void
assert_only_the_other_zone(struct rig *rig)
{
	struct id of_parent = scene_id(OTHER_ZONE);

	assert_int_equal(count(rig, "resource"), 1);
	assert_int_equal(count(rig, "resource_value"), 1);
	assert_int_equal(count(rig, "resource_count"), 1);
	assert_int_equal(count(rig, "resource_change"), 0);
	assert_int_equal(count(rig, "resource_removal"), 0);
	assert_int_equal(removal_look(&rig->statements, &rig->scene->sets, &of_parent), 0);
}

static unsigned
remove_all(struct rig *rig)
{
	unsigned steps = 0;

	for (; changes_is_removing(rig->changes); steps++) {
		int before = count(rig, "resource");
		begin(rig);
		assert_int_equal(changes_remove_some(rig->changes), 0);
		commit(rig);
		assert_in_range(before - count(rig, "resource"), 0, REMOVAL_STEP);
	}
	return steps;
}

/* A few dependents are deleted with the resource at once. */
static void
test_few(void **state)
{
	struct rig *rig = *state;

	fill(rig, 5, 5);
	delete_zone(rig);
	assert_only_the_other_zone(rig);
	assert_int_equal(remove_all(rig), 1);
}

static void
test_many(void **state)
{
	struct rig *rig = *state;

	fill(rig, MANY, 0);
	delete_zone(rig);
	assert_int_equal(count(rig, "resource"), MANY + 1 - REMOVAL_AT_ONCE);
	assert_int_equal(count(rig, "resource_removal"), 1);
	assert_hidden(rig, &rig->scene->sets, SET + MANY - 1, ZONE);
	/* The name is free, and other resources are unchanged. */
	begin(rig);
	assert_int_equal(make(rig, &rig->scene->zones, STORE_CREATE, 3, 0, "{\"name\":\"z\"}"), 0);
	assert_int_equal(make(rig, &rig->scene->sets, STORE_CREATE, 4, 3, "{\"name\":\"s0\"}"), 0);
	assert_int_equal(make(rig, &rig->scene->sets, STORE_CREATE, 5, OTHER_ZONE, "{\"name\":\"s0\"}"), 0);
	commit(rig);
	assert_int_equal(remove_all(rig), MANY / REMOVAL_STEP);
	assert_int_equal(count(rig, "resource"), 4);
	assert_int_equal(count(rig, "resource_count"), 3);
}

/* Dependents of dependents are hidden too, at every stage of the removal. */
static void
test_deep(void **state)
{
	struct rig *rig = *state;

	fill(rig, 2, MANY);
	delete_zone(rig);
	assert_hidden(rig, &rig->scene->sets, SET + 1, ZONE);
	assert_hidden(rig, &rig->records, RECORD + MANY - 1, SET + 1);
	begin(rig);
	assert_int_equal(changes_remove_some(rig->changes), 0);
	commit(rig);
	assert_int_equal(count(rig, "resource_removal"), 2);
	assert_hidden(rig, &rig->scene->sets, SET + 1, ZONE);
	assert_hidden(rig, &rig->records, RECORD + MANY - 1, SET + 1);
	remove_all(rig);
	assert_only_the_other_zone(rig);
}

/* A zone is deleted while one of its sets is being removed. */
static void
test_twice(void **state)
{
	struct rig *rig = *state;

	fill(rig, 2, MANY);
	begin(rig);
	assert_int_equal(make(rig, &rig->scene->sets, STORE_DELETE, SET + 1, ZONE, NULL), 0);
	commit(rig);
	delete_zone(rig);
	assert_hidden(rig, &rig->records, RECORD, SET + 1);
	remove_all(rig);
	assert_only_the_other_zone(rig);
}

/* A step that is rolled back is repeated; the next server goes on with the removal. */
static void
test_goes_on(void **state)
{
	struct rig *rig = *state;

	fill(rig, MANY, 3);
	delete_zone(rig);
	int left = count(rig, "resource");
	begin(rig);
	assert_int_equal(changes_remove_some(rig->changes), 0);
	database_rollback(rig->database);
	changes_roll_back(rig->changes);
	assert_true(changes_is_removing(rig->changes));
	assert_int_equal(count(rig, "resource"), left);
	begin(rig);
	assert_int_equal(changes_remove_some(rig->changes), 0);
	commit(rig);
	assert_true(count(rig, "resource") > 1);
	close_rig(rig);
	open_rig(rig);
	assert_true(changes_is_removing(rig->changes));
	assert_hidden(rig, &rig->scene->sets, SET + MANY - 1, ZONE);
	remove_all(rig);
	assert_only_the_other_zone(rig);
}

/* A damaged row of a removal is refused. */
static void
test_damaged(void **state)
{
	struct rig *rig = *state;
	char *why = NULL;

	fill(rig, MANY, 0);
	delete_zone(rig);
	assert_int_equal(database_execute(rig->database, "UPDATE resource_removal SET id = zeroblob(16)"), 0);
	assert_int_equal(changes_check(rig->changes, &why), -EINVAL);
	assert_string_equal(why, "the row of removal 1 is damaged");
	free(why);
}

/* An operation whose resource is hidden does not begin with it and does not change it. */
static void
test_operations(void **state)
{
	struct rig *rig = *state;
	struct store_change *update =
		scene_change(&rig->scene->sets, STORE_UPDATE, SET, ZONE, "{\"name\":\"new\"}");

	fill(rig, MANY, 0);
	begin(rig);
	assert_int_equal(changes_accept(rig->changes, update, 1), 0);
	commit(rig);
	delete_zone(rig);
	begin(rig);
	assert_int_equal(changes_begin(rig->changes, update, 1), 0);
	assert_null(update->on_change);
	assert_int_equal(changes_end(rig->changes, update, 1), 0);
	assert_true(update->end_failed);
	assert_int_equal(update->status, 404);
	commit(rig);
	remove_all(rig);
	assert_only_the_other_zone(rig);
	store_change_free(update);
}

/* Through a store: hidden resources are neither read from memory nor listed. */
static void
test_reads(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(scene_make(scene, &scene->zones, STORE_CREATE, ZONE, 0, "{}"), 0);
	for (unsigned i = 0; i < 2 * REMOVAL_AT_ONCE; i++)
		assert_int_equal(scene_make(scene, &scene->sets, STORE_CREATE, SET + i, ZONE, "{}"), 0);
	struct store_read read = scene_look(scene, &scene->sets, SET, ZONE);
	assert_int_equal(read.error, 0);
	free(read.document);
	free(read.representation);
	assert_int_equal(scene_make(scene, &scene->zones, STORE_DELETE, ZONE, 0, NULL), 0);
	for (unsigned i = 0; i < 2 * REMOVAL_AT_ONCE; i++)
		scene_assert_missing(scene, &scene->sets, SET + i, ZONE);
	assert_int_equal(scene_make(scene, &scene->sets, STORE_CREATE, SET - 1, ZONE, "{}"), -ENOENT);
}

static unsigned reports; /* number of health reports */

static void
on_health(void *arg, bool healthy, const char *why)
{
	assert_int_equal(healthy, reports % 2 == 1);
	reports++;
}

static int
set_up_faulty(void **state)
{
	faulty_install();
	return scene_set_up_disk(state);
}

static int
tear_down_faulty(void **state)
{
	struct scene *scene = *state;

	faulty_clear();
	place_fini(&scene->place);
	free(scene);
	return 0;
}

/* A step that the disk refuses is reported like any write, and is repeated. */
static void
test_refusing_disk(void **state)
{
	struct scene *scene = *state;
	struct store_config config = {
		.path = scene->place.path, .mailbox = scene->place.mailbox, .on_health = on_health};
	struct store_change *change = scene_change(&scene->zones, STORE_DELETE, ZONE, 0, NULL);
	unsigned count = 0;
	struct outcome outcome = {.count = &count};
	char *why = NULL;

	assert_int_equal(scene_make(scene, &scene->zones, STORE_CREATE, ZONE, 0, "{}"), 0);
	for (unsigned i = 0; i < 2 * REMOVAL_AT_ONCE; i++)
		assert_int_equal(scene_make(scene, &scene->sets, STORE_CREATE, SET + i, ZONE, "{}"), 0);
	store_close(scene->store);
	reports = 0;
	assert_int_equal(store_open(&config, &scene->store, &why), 0);
	assert_int_equal(store_load(scene->store, scene_on_load, scene, &why), 0);
	assert_int_equal(store_start(scene->store), 0);
	/* The first sync of a log is that of its header. */
	assert_int_equal(scene_make(scene, &scene->zones, STORE_UPDATE, ZONE, 0, "{}"), 0);
	faulty_hold();
	store_change(scene->store, change, outcome_done, &outcome);
	place_end_pass(&scene->place);
	faulty_wait_held();
	faulty_fail(FAULTY_WRITE, FAULTY_LOG, 0, 1000000000, SQLITE_FULL);
	faulty_release();
	place_wait(&scene->place, &count, 1);
	assert_int_equal(outcome.error, 0);
	place_wait(&scene->place, &reports, 1);
	assert_int_equal(
		scene_make(scene, &scene->zones, STORE_CREATE, OTHER_ZONE, 0, "{\"name\":\"o\"}"), -ENOSPC);
	faulty_clear();
	place_wait(&scene->place, &reports, 2);
	assert_int_equal(
		scene_make(scene, &scene->zones, STORE_CREATE, OTHER_ZONE, 0, "{\"name\":\"o\"}"), 0);
	store_change_free(change);
	/* A step was made between the probe and that change, or before it. */
	store_close(scene->store);
	scene->store = NULL;
	struct rig rig = {.scene = scene};
	open_rig(&rig);
	assert_only_the_other_zone(&rig);
	close_rig(&rig);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_few),
		TEST(test_many),
		TEST(test_deep),
		TEST(test_twice),
		TEST(test_goes_on),
		TEST(test_damaged),
		TEST(test_operations),
		SCENE_BOTH(test_reads),
		cmocka_unit_test_setup_teardown(test_refusing_disk, set_up_faulty, tear_down_faulty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
