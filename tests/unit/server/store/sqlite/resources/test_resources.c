/* Tests of the store's resources: changes as the writer decides them, alone and with operations, and reads;
 * on disk and in memory. */
#include "tests/unit/server/store/sqlite/resources/resource_scene.h"

#include "common/cleanup.h"
#include "common/json/json.h"
#include "common/text.h"

#include <errno.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
test_alone(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(scene_make(scene, &scene->zones, STORE_CREATE, 1, 0, "{\"name\":\"a\"}"), 0);
	scene_assert_resource(scene, 1, STORE_ACTIVE, 1, "{\"name\":\"a\"}");
	assert_int_equal(scene_make(scene, &scene->zones, STORE_UPDATE, 1, 0, "{\"name\":\"b\"}"), 0);
	scene_assert_resource(scene, 1, STORE_ACTIVE, 2, "{\"name\":\"b\"}");
	assert_int_equal(scene_make(scene, &scene->zones, STORE_CREATE, 2, 0, "{\"name\":\"a\"}"), 0);
	assert_int_equal(scene_make(scene, &scene->zones, STORE_UPDATE, 2, 0, "{\"name\":\"b\"}"), -EEXIST);
	assert_int_equal(scene_make(scene, &scene->zones, STORE_CREATE, 3, 0, "{\"name\":\"b\"}"), -EEXIST);
	assert_int_equal(scene_make(scene, &scene->zones, STORE_DELETE, 1, 0, NULL), 0);
	scene_assert_missing(scene, &scene->zones, 1, 0);
	assert_int_equal(scene_make(scene, &scene->zones, STORE_UPDATE, 1, 0, "{}"), -ENOENT);
	assert_int_equal(scene_make(scene, &scene->zones, STORE_UPDATE, 2, 0, "{\"name\":\"b\"}"), 0);
}

static void
test_versions(void **state)
{
	struct scene *scene = *state;
	struct store_change *change = scene_change(&scene->zones, STORE_UPDATE, 1, 0, "{}");

	assert_int_equal(scene_make(scene, &scene->zones, STORE_CREATE, 1, 0, "{}"), 0);
	change->expected[0] = 2;
	change->expected_count = 1;
	assert_int_equal(scene_apply(scene, change), -ESTALE);
	change->expected[change->expected_count++] = 1;
	assert_int_equal(scene_apply(scene, change), 0);
	assert_int_equal(change->version, 2);
	assert_int_equal(scene_apply(scene, change), 0);
	assert_int_equal(scene_apply(scene, change), -ESTALE);
	store_change_free(change);
}

static void
test_parents(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(scene_make(scene, &scene->sets, STORE_CREATE, 9, 1, "{}"), -ENOENT);
	assert_int_equal(scene_make(scene, &scene->zones, STORE_CREATE, 1, 0, "{}"), 0);
	assert_int_equal(scene_make(scene, &scene->zones, STORE_CREATE, 2, 0, "{}"), 0);
	assert_int_equal(scene_make(scene, &scene->sets, STORE_CREATE, 9, 1, "{\"name\":\"a\"}"), 0);
	assert_int_equal(scene_make(scene, &scene->sets, STORE_CREATE, 8, 1, "{\"name\":\"a\"}"), -EEXIST);
	assert_int_equal(scene_make(scene, &scene->sets, STORE_CREATE, 8, 2, "{\"name\":\"a\"}"), 0);
	scene_assert_missing(scene, &scene->sets, 9, 2);
	assert_int_equal(scene_make(scene, &scene->sets, STORE_UPDATE, 9, 2, "{}"), -ENOENT);
	assert_int_equal(scene_make(scene, &scene->zones, STORE_DELETE, 1, 0, NULL), 0);
	scene_assert_missing(scene, &scene->sets, 9, 1);
	assert_int_equal(scene_make(scene, &scene->zones, STORE_CREATE, 1, 0, "{}"), 0);
	assert_int_equal(scene_make(scene, &scene->sets, STORE_CREATE, 9, 1, "{\"name\":\"a\"}"), 0);
}

static void
test_with_operations(void **state)
{
	struct scene *scene = *state;
	struct store_change *create = scene_change(&scene->zones, STORE_CREATE, 1, 0, "{\"n\":0}");
	struct store_change *update = scene_change(&scene->zones, STORE_UPDATE, 1, 0, "{\"n\":1}");
	struct store_change *drop = scene_change(&scene->zones, STORE_DELETE, 1, 0, NULL);
	struct store_change *late = scene_change(&scene->zones, STORE_UPDATE, 1, 0, "{}");

	assert_int_equal(scene_accept(scene, 1, create), 0);
	assert_non_null(strstr(create->representation, "\"status\":\"PENDING\",\"action\":\"CREATE\""));
	assert_int_equal(scene_apply(scene, late), -EAGAIN);
	assert_int_equal(scene_accept(scene, 2, update), 0);
	scene_assert_resource(scene, 1, STORE_PENDING, 2, "{\"n\":1}");
	assert_int_equal(scene_begin(scene, 1, create), 0);
	assert_non_null(strstr(create->on_change, "\"n\":0"));
	assert_int_equal(scene_end(scene, 1, create, "{\"serial\":7,\"id\":1,\"version\":9}"), 0);
	assert_int_equal(create->status, 201);
	scene_assert_resource(scene, 1, STORE_PENDING, 2, "{\"n\":1,\"serial\":7}");
	assert_int_equal(scene_begin(scene, 2, update), 0);
	assert_non_null(strstr(update->on_change, "\"n\":1,\"serial\":7"));
	update->failed = true;
	update->message = xstrdup("why");
	assert_int_equal(scene_end(scene, 2, update, NULL), 0);
	scene_assert_resource(scene, 1, STORE_ERROR, 2, "{\"n\":1,\"serial\":7}");
	assert_int_equal(scene_accept(scene, 3, drop), 0);
	assert_int_equal(scene_accept(scene, 4, late), -EBUSY);
	assert_int_equal(scene_make(scene, &scene->zones, STORE_DELETE, 1, 0, NULL), -EALREADY);
	assert_int_equal(scene_end(scene, 3, drop, NULL), 0);
	assert_int_equal(drop->status, 204);
	scene_assert_missing(scene, &scene->zones, 1, 0);
	store_change_free(create);
	store_change_free(update);
	store_change_free(drop);
	store_change_free(late);
}

/* Two changes, and the answer of the first while the second waits: the document with both, as the second is
 * given it.  An answer that sends back what it was given undoes nothing. */
static const struct {
	const char *first, *second, *answer, *result;
} answers[] = {
	{"{\"v\":1}", "{\"v\":2}", "{\"v\":1}", "{\"v\":2}"},
	{"{\"v\":1}", "{\"v\":2}", "{\"v\":1,\"serial\":7}", "{\"v\":2,\"serial\":7}"},
	{"{\"v\":1}", "{\"v\":2}", "{\"v\":5}", "{\"v\":2}"},
	{"{\"v\":1}", "{\"v\":1,\"w\":1}", "{\"v\":5}", "{\"v\":5,\"w\":1}"},
	{"{\"v\":1,\"w\":1}", "{\"w\":1}", "{\"v\":1,\"w\":1}", "{\"w\":1}"},
	{"{\"v\":1,\"w\":1}", "{\"w\":1}", "{\"v\":5}", "{\"w\":1}"},
	{"{\"v\":1}", "{\"v\":2}", "{\"v\":null}", "{\"v\":2}"},
	{"{\"v\":1}", "{\"v\":1,\"w\":1}", "{\"v\":null}", "{\"w\":1}"},
	{"{\"w\":1}", "{\"w\":1,\"v\":1}", "{\"v\":null}", "{\"w\":1,\"v\":1}"},
	{"{\"v\":null}", "{\"v\":null,\"w\":1}", "{\"v\":null}", "{\"v\":null,\"w\":1}"},
	{"{\"d\":{\"a\":1,\"b\":1}}", "{\"d\":{\"a\":2,\"b\":1}}", "{\"d\":{\"a\":1,\"b\":3}}",
		"{\"d\":{\"a\":2,\"b\":3}}"},
	{"{\"d\":{\"a\":1}}", "{\"d\":5}", "{\"d\":{\"a\":2}}", "{\"d\":5}"},
	{"{\"d\":{\"a\":1}}", "{\"d\":{\"a\":2}}", "{\"d\":5}", "{\"d\":{\"a\":2}}"},
	{"{\"d\":{\"a\":1}}", "{}", "{\"d\":{\"b\":1}}", "{}"},
	{"{\"l\":[1,2]}", "{\"l\":[1,2,3]}", "{\"l\":[1,2]}", "{\"l\":[1,2,3]}"},
	{"{\"l\":[1,2]}", "{\"l\":[1,2],\"w\":1}", "{\"l\":[2]}", "{\"l\":[2],\"w\":1}"},
	{"{\"v\":1}", "{\"v\":1}", "{\"id\":\"x\",\"version\":9,\"status\":\"MINE\"}", "{\"v\":1}"},
};

static void
test_answer_against_later_changes(void **state)
{
	struct scene *scene = *state;
	uint64_t sequence = 0;

	for (unsigned i = 0; i < sizeof answers / sizeof *answers; i++) {
		unsigned id = i + 1;
		struct store_change *first =
			scene_change(&scene->zones, STORE_CREATE, id, 0, answers[i].first);
		struct store_change *second =
			scene_change(&scene->zones, STORE_UPDATE, id, 0, answers[i].second);
		CLEANUP_FREE char *inside = xasprintf(",%s}", answers[i].result + 1);
		assert_int_equal(scene_accept(scene, ++sequence, first), 0);
		assert_int_equal(scene_accept(scene, ++sequence, second), 0);
		assert_int_equal(scene_begin(scene, sequence - 1, first), 0);
		assert_int_equal(scene_end(scene, sequence - 1, first, answers[i].answer), 0);
		scene_assert_resource(scene, id, STORE_PENDING, 2, answers[i].result);
		assert_int_equal(scene_begin(scene, sequence, second), 0);
		if (strcmp(answers[i].result, "{}") != 0)
			assert_non_null(strstr(second->on_change, inside));
		assert_int_equal(scene_end(scene, sequence, second, NULL), 0);
		scene_assert_resource(scene, id, STORE_ACTIVE, 2, answers[i].result);
		store_change_free(first);
		store_change_free(second);
	}
}

/* A change in between that never runs keeps what it has set, too. */
static void
test_answer_after_a_failure_in_between(void **state)
{
	struct scene *scene = *state;
	struct store_change *first = scene_change(&scene->zones, STORE_CREATE, 1, 0, "{\"v\":1,\"w\":1}");
	struct store_change *second = scene_change(&scene->zones, STORE_UPDATE, 1, 0, "{\"v\":2,\"w\":1}");
	struct store_change *third = scene_change(&scene->zones, STORE_UPDATE, 1, 0, "{\"v\":2,\"w\":3}");

	assert_int_equal(scene_accept(scene, 1, first), 0);
	assert_int_equal(scene_accept(scene, 2, second), 0);
	assert_int_equal(scene_accept(scene, 3, third), 0);
	second->failed = true;
	assert_int_equal(scene_end(scene, 2, second, NULL), 0);
	assert_int_equal(scene_end(scene, 1, first, "{\"v\":1,\"w\":1,\"serial\":7}"), 0);
	scene_assert_resource(scene, 1, STORE_PENDING, 3, "{\"v\":2,\"w\":3,\"serial\":7}");
	third->failed = true;
	assert_int_equal(scene_end(scene, 3, third, NULL), 0);
	scene_assert_resource(scene, 1, STORE_ERROR, 3, "{\"v\":2,\"w\":3,\"serial\":7}");
	store_change_free(first);
	store_change_free(second);
	store_change_free(third);
}

static void
test_end_that_cannot_be_merged(void **state)
{
	struct scene *scene = *state;
	struct store_change *create = scene_change(&scene->zones, STORE_CREATE, 2, 0, "{\"name\":\"b\"}");

	assert_int_equal(scene_make(scene, &scene->zones, STORE_CREATE, 1, 0, "{\"name\":\"a\"}"), 0);
	assert_int_equal(scene_accept(scene, 1, create), 0);
	assert_int_equal(scene_end(scene, 1, create, "{\"name\":\"a\"}"), 0);
	assert_true(create->end_failed);
	assert_int_equal(create->status, 409);
	scene_assert_resource(scene, 2, STORE_ERROR, 1, "{\"name\":\"b\"}");
	store_change_free(create);
}

static void
test_end_without_resource(void **state)
{
	struct scene *scene = *state;
	struct store_change *create = scene_change(&scene->sets, STORE_CREATE, 2, 1, "{}");

	assert_int_equal(scene_make(scene, &scene->zones, STORE_CREATE, 1, 0, "{}"), 0);
	assert_int_equal(scene_accept(scene, 1, create), 0);
	assert_int_equal(scene_make(scene, &scene->zones, STORE_DELETE, 1, 0, NULL), 0);
	assert_int_equal(scene_begin(scene, 1, create), 0);
	assert_null(create->on_change);
	assert_int_equal(scene_end(scene, 1, create, NULL), 0);
	assert_true(create->end_failed);
	assert_int_equal(create->status, 404);
	store_change_free(create);
}

static bool
is_in_memory(struct scene *scene, struct store_collection *collection, unsigned id, unsigned parent)
{
	struct id its = scene_id(id), of_parent = scene_id(parent);

	return store_find_item(scene->store, collection, &its, &of_parent, "http://h/x") != NULL;
}

/* Reads the resource, which must then be in memory. */
static void
keep(struct scene *scene, struct store_collection *collection, unsigned id, unsigned parent)
{
	struct store_read read = scene_look(scene, collection, id, parent);

	assert_int_equal(read.error, 0);
	free(read.document);
	free(read.representation);
	assert_true(is_in_memory(scene, collection, id, parent));
}

static void
on_changed_or_not(void *arg, int error)
{
	struct scene *scene = arg;

	(void)error;
	assert_false(is_in_memory(scene, &scene->zones, 1, 0));
	scene->done++;
}

/* A completion of a change comes after the old resource has been dropped from memory. */
static void
test_memory(void **state)
{
	struct scene *scene = *state;
	struct store_change *update = scene_change(&scene->zones, STORE_UPDATE, 1, 0, "{\"n\":1}");
	struct store_operation operation = place_operation(1);

	assert_int_equal(scene_make(scene, &scene->zones, STORE_CREATE, 1, 0, "{}"), 0);
	assert_int_equal(scene_make(scene, &scene->sets, STORE_CREATE, 2, 1, "{}"), 0);
	keep(scene, &scene->zones, 1, 0);
	store_change(scene->store, update, on_changed_or_not, scene);
	place_wait(&scene->place, &scene->done, 1);
	keep(scene, &scene->zones, 1, 0);
	operation.change = update;
	store_accept(scene->store, &operation, on_changed_or_not, scene);
	place_wait(&scene->place, &scene->done, 2);
	keep(scene, &scene->zones, 1, 0);
	assert_int_equal(scene_begin(scene, 1, update), 0);
	assert_true(is_in_memory(scene, &scene->zones, 1, 0));
	operation = place_end(1);
	operation.change = update;
	store_end(scene->store, &operation, on_changed_or_not, scene);
	place_wait(&scene->place, &scene->done, 3);
	keep(scene, &scene->zones, 1, 0);
	keep(scene, &scene->sets, 2, 1);
	assert_int_equal(scene_make(scene, &scene->zones, STORE_DELETE, 1, 0, NULL), 0);
	assert_false(is_in_memory(scene, &scene->sets, 2, 1));
	store_change_free(update);
}

/* The next start reports pending changes. */
static void
test_reopen(void **state)
{
	struct scene *scene = *state;
	struct store_change *create = scene_change(&scene->zones, STORE_CREATE, 1, 0, "{\"n\":0}");
	struct id id = scene_id(1);

	assert_int_equal(scene_accept(scene, 1, create), 0);
	CLEANUP_FREE char *before = xstrdup(create->representation);
	store_close(scene->store);
	scene_start(scene, scene->place.path);
	assert_int_equal(scene->pending_count, 1);
	assert_string_equal(scene->pending[0].collection, "zones");
	assert_int_equal(scene->pending[0].action, STORE_CREATE);
	assert_true(id_equal(&scene->pending[0].id, &id));
	CLEANUP_FREE char *shown = store_pending_represent(&scene->pending[0], &scene->zones, "http://h/x");
	assert_string_equal(shown, before);
	assert_int_equal(scene_end(scene, 1, create, NULL), 0);
	scene_assert_resource(scene, 1, STORE_ACTIVE, 1, "{\"n\":0}");
	store_change_free(create);
}

/* Runs SQL on the database of a running store. */
static void
execute(struct scene *scene, const char *sql)
{
	sqlite3 *handle;

	assert_int_equal(sqlite3_open(scene->place.path, &handle), SQLITE_OK);
	assert_int_equal(sqlite3_busy_timeout(handle, 10000), SQLITE_OK);
	assert_int_equal(sqlite3_exec(handle, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

/* A row that was changed behind the store's back is never shown. */
static void
test_damaged(void **state)
{
	struct scene *scene = *state;
	struct store_config config = {.path = scene->place.path, .mailbox = scene->place.mailbox};
	char *why = NULL;

	assert_int_equal(scene_make(scene, &scene->zones, STORE_CREATE, 1, 0, "{}"), 0);
	assert_int_equal(scene_make(scene, &scene->zones, STORE_CREATE, 2, 0, "{}"), 0);
	execute(scene, "UPDATE resource SET version = 7 WHERE sequence = 2");
	assert_int_equal(scene_look(scene, &scene->zones, 2, 0).error, -EIO);
	assert_int_equal(scene_make(scene, &scene->zones, STORE_UPDATE, 2, 0, "{}"), -EIO);
	scene_assert_resource(scene, 1, STORE_ACTIVE, 1, "{}");
	store_close(scene->store);
	assert_int_equal(store_open(&config, &scene->store, &why), 0);
	assert_int_equal(store_load(scene->store, scene_on_load, scene, &why), -EINVAL);
	assert_non_null(strstr(why, "resource 2 is damaged"));
	free(why);
}

/* The same for a pending change. */
static void
test_damaged_change(void **state)
{
	struct scene *scene = *state;
	struct store_config config = {.path = scene->place.path, .mailbox = scene->place.mailbox};
	struct store_change *create = scene_change(&scene->zones, STORE_CREATE, 1, 0, "{\"n\":0}");
	char *why = NULL;

	assert_int_equal(scene_accept(scene, 7, create), 0);
	execute(scene, "UPDATE resource_change SET document = '{\"n\":1}'");
	assert_int_equal(scene_begin(scene, 7, create), -EIO);
	store_close(scene->store);
	assert_int_equal(store_open(&config, &scene->store, &why), 0);
	assert_int_equal(store_load(scene->store, scene_on_load, scene, &why), -EINVAL);
	assert_non_null(strstr(why, "the change of operation 7 is damaged"));
	free(why);
	store_change_free(create);
}

/* A database of a version without checksums. */
static void
test_upgrade(void **state)
{
	struct scene *scene = *state;

	struct store_change *create = scene_change(&scene->zones, STORE_CREATE, 2, 0, "{\"name\":\"b\"}");

	assert_int_equal(scene_make(scene, &scene->zones, STORE_CREATE, 1, 0, "{\"name\":\"a\"}"), 0);
	assert_int_equal(scene_accept(scene, 1, create), 0);
	store_close(scene->store);
	execute(scene, "ALTER TABLE resource DROP COLUMN checksum; DROP TABLE resource_removal;"
		       " DROP TABLE resource_value_text;"
		       " ALTER TABLE resource_change DROP COLUMN checksum; PRAGMA user_version = 2");
	scene_start(scene, scene->place.path);
	scene_assert_resource(scene, 1, STORE_ACTIVE, 1, "{\"name\":\"a\"}");
	assert_int_equal(scene_make(scene, &scene->zones, STORE_UPDATE, 1, 0, "{}"), 0);
	assert_int_equal(scene_end(scene, 1, create, NULL), 0);
	scene_assert_resource(scene, 2, STORE_ACTIVE, 1, "{\"name\":\"b\"}");
	store_change_free(create);
}

/* Values are unique as JSON Schema's uniqueItems compares them. */
static void
test_unique_by_value(void **state)
{
	static const struct {
		const char *first, *second;
		int error;
	} pairs[] = {
		{"{\"name\":7}", "{\"name\":7.0}", -EEXIST},
		{"{\"name\":0}", "{\"name\":-0.0}", -EEXIST},
		{"{\"name\":100}", "{\"name\":1e2}", -EEXIST},
		{"{\"name\":10000000000000000000}", "{\"name\":1e19}", -EEXIST},
		{"{\"name\":-3}", "{\"name\":-3.0}", -EEXIST},
		{"{\"name\":{\"a\":1,\"b\":[2]}}", "{\"name\":{\"b\":[2.0],\"a\":1}}", -EEXIST},
		{"{\"name\":\"7\"}", "{\"name\":8}", 0},
		{"{\"name\":[1,2]}", "{\"name\":[2,1]}", 0},
		{"{\"name\":1.5}", "{\"name\":1}", 0},
	};
	struct scene *scene = *state;

	for (unsigned i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		assert_int_equal(scene_make(scene, &scene->zones, STORE_CREATE, 1, 0, pairs[i].first), 0);
		assert_int_equal(scene_make(scene, &scene->zones, STORE_CREATE, 2, 0, pairs[i].second),
			pairs[i].error);
		assert_int_equal(scene_make(scene, &scene->zones, STORE_DELETE, 1, 0, NULL), 0);
		if (pairs[i].error == 0)
			assert_int_equal(scene_make(scene, &scene->zones, STORE_DELETE, 2, 0, NULL), 0);
	}
}

/* Unique values of a version that compared their text, two of which are equal. */
static void
test_upgrade_of_values(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(scene_make(scene, &scene->zones, STORE_CREATE, 1, 0, "{\"name\":7}"), 0);
	assert_int_equal(scene_make(scene, &scene->zones, STORE_CREATE, 2, 0, "{\"name\":8}"), 0);
	assert_int_equal(scene_make(scene, &scene->zones, STORE_CREATE, 3, 0, "{\"name\":\"7.0\"}"), 0);
	assert_int_equal(
		scene_make(scene, &scene->zones, STORE_CREATE, 4, 0, "{\"name\":{\"a\":1,\"b\":2}}"), 0);
	store_close(scene->store);
	execute(scene, "UPDATE resource_value SET value = '7.0' WHERE value = '8';"
		       " UPDATE resource_value SET value = '{\"b\":2,\"a\":1}' WHERE value LIKE '{%';"
		       " DROP TABLE resource_value_text; PRAGMA user_version = 4");
	scene_start(scene, scene->place.path);
	assert_int_equal(scene_make(scene, &scene->zones, STORE_CREATE, 5, 0, "{\"name\":7.0}"), -EEXIST);
	assert_int_equal(scene_make(scene, &scene->zones, STORE_CREATE, 5, 0, "{\"name\":\"7.0\"}"), -EEXIST);
	assert_int_equal(scene_make(scene, &scene->zones, STORE_CREATE, 5, 0, "{\"name\":{\"a\":1,\"b\":2}}"),
		-EEXIST);
	assert_int_equal(scene_make(scene, &scene->zones, STORE_CREATE, 5, 0, "{\"name\":8}"), 0);
}

static unsigned judged;

static void
on_judged(struct store_judgement *judgement)
{
	judged++;
}

/* A judgement says what would happen to a change, without making it. */
static void
test_judgements(void **state)
{
	struct scene *scene = *state;
	const struct {
		struct store_collection *collection;
		enum store_action action;
		unsigned id, parent;
		const char *document;
		int error;
	} cases[] = {
		{&scene->zones, STORE_CREATE, 5, 0, "{\"name\":\"b\"}", 0},
		{&scene->zones, STORE_CREATE, 5, 0, "{\"name\":\"a\"}", -EEXIST},
		{&scene->zones, STORE_UPDATE, 1, 0, "{\"name\":\"a\"}", 0},
		{&scene->zones, STORE_UPDATE, 5, 0, "{}", -ENOENT},
		{&scene->zones, STORE_DELETE, 1, 0, NULL, 0},
		{&scene->zones, STORE_DELETE, 2, 0, NULL, -EALREADY},
		{&scene->zones, STORE_UPDATE, 2, 0, "{}", -EBUSY},
		{&scene->sets, STORE_CREATE, 5, 9, "{}", -ENOENT},
		{&scene->sets, STORE_CREATE, 5, 2, "{}", -EBUSY},
		{&scene->sets, STORE_CREATE, 5, 1, "{\"name\":\"a\"}", 0},
	};
	struct store_change *drop = scene_change(&scene->zones, STORE_DELETE, 2, 0, NULL);

	assert_int_equal(scene_make(scene, &scene->zones, STORE_CREATE, 1, 0, "{\"name\":\"a\"}"), 0);
	assert_int_equal(scene_make(scene, &scene->zones, STORE_CREATE, 2, 0, "{}"), 0);
	assert_int_equal(scene_accept(scene, 1, drop), 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct store_judgement judgement = {
			.change = scene_change(cases[i].collection, cases[i].action, cases[i].id,
				cases[i].parent, cases[i].document),
			.done = on_judged,
		};
		judged = 0;
		store_judge(scene->store, &judgement);
		place_wait(&scene->place, &judged, 1);
		assert_int_equal(judgement.error, cases[i].error);
		store_change_free(judgement.change);
	}
	scene_assert_resource(scene, 1, STORE_ACTIVE, 1, "{\"name\":\"a\"}");
	scene_assert_missing(scene, &scene->zones, 5, 0);
	store_change_free(drop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_BOTH(test_alone),
		SCENE_BOTH(test_unique_by_value),
		SCENE_BOTH(test_versions),
		SCENE_BOTH(test_parents),
		SCENE_BOTH(test_with_operations),
		SCENE_BOTH(test_answer_against_later_changes),
		SCENE_BOTH(test_answer_after_a_failure_in_between),
		SCENE_BOTH(test_end_that_cannot_be_merged),
		SCENE_BOTH(test_end_without_resource),
		SCENE_BOTH(test_memory),
		SCENE_BOTH(test_judgements),
		cmocka_unit_test_setup_teardown(test_damaged, scene_set_up_disk, scene_tear_down),
		cmocka_unit_test_setup_teardown(test_damaged_change, scene_set_up_disk, scene_tear_down),
		cmocka_unit_test_setup_teardown(test_upgrade, scene_set_up_disk, scene_tear_down),
		cmocka_unit_test_setup_teardown(test_upgrade_of_values, scene_set_up_disk, scene_tear_down),
		cmocka_unit_test_setup_teardown(test_reopen, scene_set_up_disk, scene_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
