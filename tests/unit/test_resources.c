/* Tests of the store's resources: changes as the writer decides them, alone and with operations, reads and lists; on disk and
 * in memory. */
#include "store/resources.h"
#include "store_place.h"

#include "common/cleanup.h"
#include "common/json.h"

#include <errno.h>
#include <sqlite3.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const char *const no_names[] = {NULL};
static const char *const name_only[] = {"name", NULL};

struct scene {
	struct place place;
	struct store *store;
	struct store_collection zones, sets; /* sets belong to zones */
	struct store_pending pending[8];     /* of the last load */
	size_t pending_count;
	unsigned done;
};

static void
on_load(void *arg, const struct store_operation *operation)
{
	struct scene *scene = arg;

	if (!operation->pending)
		return;
	struct store_pending *copy = &scene->pending[scene->pending_count++];
	*copy = *operation->pending;
	copy->collection = xstrdup(copy->collection);
	copy->document = xstrdup(copy->document);
}

static void
start(struct scene *scene, const char *path)
{
	struct store_config config = {.path = path, .mailbox = scene->place.mailbox};
	char *why = NULL;

	assert_int_equal(store_open(&config, &scene->store, &why), 0);
	assert_int_equal(store_load(scene->store, on_load, scene, &why), 0);
	assert_int_equal(store_start(scene->store), 0);
	assert_int_equal(store_add_collection(scene->store, &scene->zones), 0);
	assert_int_equal(store_add_collection(scene->store, &scene->sets), 0);
}

static struct scene *
new_scene(void)
{
	struct scene *scene = xcalloc(1, sizeof *scene);

	place_init(&scene->place);
	scene->zones = (struct store_collection){.references = 1,
		.name = (char *)(uintptr_t) "zones",
		.unique = (char **)(uintptr_t)name_only,
		.index = (char **)(uintptr_t)name_only,
		.envelope = (char **)(uintptr_t)no_names,
		.delete_status = 204};
	scene->sets = scene->zones;
	scene->sets.name = (char *)(uintptr_t) "sets";
	scene->sets.parent = (char *)(uintptr_t) "zones";
	scene->sets.parent_member = (char *)(uintptr_t) "zone_id";
	return scene;
}

static int
set_up_disk(void **state)
{
	struct scene *scene = new_scene();

	start(scene, scene->place.path);
	*state = scene;
	return 0;
}

static int
set_up_memory(void **state)
{
	struct scene *scene = new_scene();

	start(scene, NULL);
	*state = scene;
	return 0;
}

static int
tear_down(void **state)
{
	struct scene *scene = *state;

	store_close(scene->store);
	place_fini(&scene->place);
	for (size_t i = 0; i < scene->pending_count; i++) {
		free(scene->pending[i].collection);
		free(scene->pending[i].document);
	}
	free(scene);
	return 0;
}

static struct id
id_of(unsigned n)
{
	struct id id = {.bytes = {(uint8_t)n, (uint8_t)(n >> 8), 1}};

	return id;
}

static struct store_change *
new_change(struct store_collection *collection, enum store_action action, unsigned id, unsigned parent,
	const char *document)
{
	struct id its = id_of(id), of_parent = id_of(parent);
	struct store_change *change = store_change_new(collection, action, &its, &of_parent, "http://h/x");
	struct json_mistake mistake;

	change->now_ms = 1000 + id;
	if (document) {
		CLEANUP(cleanup_json) struct json_object *value = NULL;
		assert_int_equal(json_parse(document, strlen(document), &value, &mistake), 0);
		store_change_set_document(change, value);
	}
	return change;
}

static int
apply(struct scene *scene, struct store_change *change)
{
	unsigned count = 0;
	struct outcome outcome = {.count = &count};

	store_change(scene->store, change, outcome_done, &outcome);
	place_wait(&scene->place, &count, 1);
	return outcome.error;
}

/* One change made alone, and what came of it. */
static int
make(struct scene *scene, struct store_collection *collection, enum store_action action, unsigned id,
	unsigned parent, const char *document)
{
	struct store_change *change = new_change(collection, action, id, parent, document);
	int rc = apply(scene, change);

	store_change_free(change);
	return rc;
}

static int
accept(struct scene *scene, uint64_t sequence, struct store_change *change)
{
	struct store_operation operation = place_operation(sequence);
	unsigned count = 0;
	struct outcome outcome = {.count = &count};

	operation.change = change;
	store_accept(scene->store, &operation, outcome_done, &outcome);
	place_wait(&scene->place, &count, 1);
	return outcome.error;
}

static int
begin(struct scene *scene, uint64_t sequence, struct store_change *change)
{
	struct store_operation operation = place_operation(sequence);
	unsigned count = 0;
	struct outcome outcome = {.count = &count};

	store_begin(scene->store, &operation.id, sequence, 1, change, outcome_done, &outcome);
	place_wait(&scene->place, &count, 1);
	return outcome.error;
}

static int
end(struct scene *scene, uint64_t sequence, struct store_change *change, const char *answer)
{
	struct store_operation operation = place_end(sequence);
	unsigned count = 0;
	struct outcome outcome = {.count = &count};

	operation.change = change;
	change->answer = answer ? blob_new(answer, strlen(answer)) : NULL;
	store_end(scene->store, &operation, outcome_done, &outcome);
	place_wait(&scene->place, &count, 1);
	return outcome.error;
}

static unsigned read_count;

static void
on_read(struct store_read *read)
{
	read_count++;
}

static struct store_read
look(struct scene *scene, struct store_collection *collection, unsigned id, unsigned parent)
{
	struct store_read read = {.collection = collection,
		.id = id_of(id),
		.parent = id_of(parent),
		.url = "http://h/x",
		.done = on_read};

	read_count = 0;
	store_read(scene->store, &read);
	place_wait(&scene->place, &read_count, 1);
	return read;
}

static void
assert_resource(
	struct scene *scene, unsigned id, enum store_status status, uint64_t version, const char *document)
{
	struct store_read read = look(scene, &scene->zones, id, 0);

	assert_int_equal(read.error, 0);
	assert_int_equal(read.status, status);
	assert_int_equal(read.version, version);
	assert_string_equal(read.document, document);
	free(read.document);
	free(read.representation);
}

static void
assert_missing(struct scene *scene, struct store_collection *collection, unsigned id, unsigned parent)
{
	assert_int_equal(look(scene, collection, id, parent).error, -ENOENT);
}

static void
test_alone(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(make(scene, &scene->zones, STORE_CREATE, 1, 0, "{\"name\":\"a\"}"), 0);
	assert_resource(scene, 1, STORE_ACTIVE, 1, "{\"name\":\"a\"}");
	assert_int_equal(make(scene, &scene->zones, STORE_UPDATE, 1, 0, "{\"name\":\"b\"}"), 0);
	assert_resource(scene, 1, STORE_ACTIVE, 2, "{\"name\":\"b\"}");
	assert_int_equal(make(scene, &scene->zones, STORE_CREATE, 2, 0, "{\"name\":\"a\"}"), 0);
	assert_int_equal(make(scene, &scene->zones, STORE_UPDATE, 2, 0, "{\"name\":\"b\"}"), -EEXIST);
	assert_int_equal(make(scene, &scene->zones, STORE_CREATE, 3, 0, "{\"name\":\"b\"}"), -EEXIST);
	assert_int_equal(make(scene, &scene->zones, STORE_DELETE, 1, 0, NULL), 0);
	assert_missing(scene, &scene->zones, 1, 0);
	assert_int_equal(make(scene, &scene->zones, STORE_UPDATE, 1, 0, "{}"), -ENOENT);
	assert_int_equal(make(scene, &scene->zones, STORE_UPDATE, 2, 0, "{\"name\":\"b\"}"), 0);
}

static void
test_versions(void **state)
{
	struct scene *scene = *state;
	struct store_change *change = new_change(&scene->zones, STORE_UPDATE, 1, 0, "{}");

	assert_int_equal(make(scene, &scene->zones, STORE_CREATE, 1, 0, "{}"), 0);
	change->expected[0] = 2;
	change->expected_count = 1;
	assert_int_equal(apply(scene, change), -ESTALE);
	change->expected[change->expected_count++] = 1;
	assert_int_equal(apply(scene, change), 0);
	assert_int_equal(change->version, 2);
	assert_int_equal(apply(scene, change), 0);
	assert_int_equal(apply(scene, change), -ESTALE);
	store_change_free(change);
}

static void
test_parents(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(make(scene, &scene->sets, STORE_CREATE, 9, 1, "{}"), -ENOENT);
	assert_int_equal(make(scene, &scene->zones, STORE_CREATE, 1, 0, "{}"), 0);
	assert_int_equal(make(scene, &scene->zones, STORE_CREATE, 2, 0, "{}"), 0);
	assert_int_equal(make(scene, &scene->sets, STORE_CREATE, 9, 1, "{\"name\":\"a\"}"), 0);
	assert_int_equal(make(scene, &scene->sets, STORE_CREATE, 8, 1, "{\"name\":\"a\"}"), -EEXIST);
	assert_int_equal(make(scene, &scene->sets, STORE_CREATE, 8, 2, "{\"name\":\"a\"}"), 0);
	assert_missing(scene, &scene->sets, 9, 2);
	assert_int_equal(make(scene, &scene->sets, STORE_UPDATE, 9, 2, "{}"), -ENOENT);
	assert_int_equal(make(scene, &scene->zones, STORE_DELETE, 1, 0, NULL), 0);
	assert_missing(scene, &scene->sets, 9, 1);
	assert_int_equal(make(scene, &scene->zones, STORE_CREATE, 1, 0, "{}"), 0);
	assert_int_equal(make(scene, &scene->sets, STORE_CREATE, 9, 1, "{\"name\":\"a\"}"), 0);
}

static void
test_with_operations(void **state)
{
	struct scene *scene = *state;
	struct store_change *create = new_change(&scene->zones, STORE_CREATE, 1, 0, "{\"n\":0}");
	struct store_change *update = new_change(&scene->zones, STORE_UPDATE, 1, 0, "{\"n\":1}");
	struct store_change *drop = new_change(&scene->zones, STORE_DELETE, 1, 0, NULL);
	struct store_change *late = new_change(&scene->zones, STORE_UPDATE, 1, 0, "{}");

	assert_int_equal(accept(scene, 1, create), 0);
	assert_non_null(strstr(create->representation, "\"status\":\"PENDING\",\"action\":\"CREATE\""));
	assert_int_equal(apply(scene, late), -EAGAIN);
	assert_int_equal(accept(scene, 2, update), 0);
	assert_resource(scene, 1, STORE_PENDING, 2, "{\"n\":1}");
	assert_int_equal(begin(scene, 1, create), 0);
	assert_non_null(strstr(create->on_change, "\"n\":0"));
	assert_int_equal(end(scene, 1, create, "{\"serial\":7,\"id\":1,\"version\":9}"), 0);
	assert_int_equal(create->status, 201);
	assert_resource(scene, 1, STORE_PENDING, 2, "{\"n\":1,\"serial\":7}");
	assert_int_equal(begin(scene, 2, update), 0);
	assert_non_null(strstr(update->on_change, "\"n\":1,\"serial\":7"));
	update->failed = true;
	update->message = xstrdup("why");
	assert_int_equal(end(scene, 2, update, NULL), 0);
	assert_resource(scene, 1, STORE_ERROR, 2, "{\"n\":1,\"serial\":7}");
	assert_int_equal(accept(scene, 3, drop), 0);
	assert_int_equal(accept(scene, 4, late), -EBUSY);
	assert_int_equal(make(scene, &scene->zones, STORE_DELETE, 1, 0, NULL), -EALREADY);
	assert_int_equal(end(scene, 3, drop, NULL), 0);
	assert_int_equal(drop->status, 204);
	assert_missing(scene, &scene->zones, 1, 0);
	store_change_free(create);
	store_change_free(update);
	store_change_free(drop);
	store_change_free(late);
}

static void
test_end_that_cannot_be_merged(void **state)
{
	struct scene *scene = *state;
	struct store_change *create = new_change(&scene->zones, STORE_CREATE, 2, 0, "{\"name\":\"b\"}");

	assert_int_equal(make(scene, &scene->zones, STORE_CREATE, 1, 0, "{\"name\":\"a\"}"), 0);
	assert_int_equal(accept(scene, 1, create), 0);
	assert_int_equal(end(scene, 1, create, "{\"name\":\"a\"}"), 0);
	assert_true(create->end_failed);
	assert_int_equal(create->status, 409);
	assert_resource(scene, 2, STORE_ERROR, 1, "{\"name\":\"b\"}");
	store_change_free(create);
}

static void
test_end_without_resource(void **state)
{
	struct scene *scene = *state;
	struct store_change *create = new_change(&scene->sets, STORE_CREATE, 2, 1, "{}");

	assert_int_equal(make(scene, &scene->zones, STORE_CREATE, 1, 0, "{}"), 0);
	assert_int_equal(accept(scene, 1, create), 0);
	assert_int_equal(make(scene, &scene->zones, STORE_DELETE, 1, 0, NULL), 0);
	assert_int_equal(begin(scene, 1, create), 0);
	assert_null(create->on_change);
	assert_int_equal(end(scene, 1, create, NULL), 0);
	assert_true(create->end_failed);
	assert_int_equal(create->status, 404);
	store_change_free(create);
}

static bool
is_in_memory(struct scene *scene, struct store_collection *collection, unsigned id, unsigned parent)
{
	struct id its = id_of(id), of_parent = id_of(parent);

	return store_find_item(scene->store, collection, &its, &of_parent, "http://h/x") != NULL;
}

/* Reads the resource, which must then be in memory. */
static void
keep(struct scene *scene, struct store_collection *collection, unsigned id, unsigned parent)
{
	struct store_read read = look(scene, collection, id, parent);

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

/* Nobody is told of a change while memory still has what was before it. */
static void
test_memory(void **state)
{
	struct scene *scene = *state;
	struct store_change *update = new_change(&scene->zones, STORE_UPDATE, 1, 0, "{\"n\":1}");
	struct store_operation operation = place_operation(1);

	assert_int_equal(make(scene, &scene->zones, STORE_CREATE, 1, 0, "{}"), 0);
	assert_int_equal(make(scene, &scene->sets, STORE_CREATE, 2, 1, "{}"), 0);
	keep(scene, &scene->zones, 1, 0);
	store_change(scene->store, update, on_changed_or_not, scene);
	place_wait(&scene->place, &scene->done, 1);
	keep(scene, &scene->zones, 1, 0);
	operation.change = update;
	store_accept(scene->store, &operation, on_changed_or_not, scene);
	place_wait(&scene->place, &scene->done, 2);
	keep(scene, &scene->zones, 1, 0);
	assert_int_equal(begin(scene, 1, update), 0);
	assert_true(is_in_memory(scene, &scene->zones, 1, 0));
	operation = place_end(1);
	operation.change = update;
	store_end(scene->store, &operation, on_changed_or_not, scene);
	place_wait(&scene->place, &scene->done, 3);
	keep(scene, &scene->zones, 1, 0);
	keep(scene, &scene->sets, 2, 1);
	assert_int_equal(make(scene, &scene->zones, STORE_DELETE, 1, 0, NULL), 0);
	assert_false(is_in_memory(scene, &scene->sets, 2, 1));
	store_change_free(update);
}

/* What is pending is told by the next start. */
static void
test_reopen(void **state)
{
	struct scene *scene = *state;
	struct store_change *create = new_change(&scene->zones, STORE_CREATE, 1, 0, "{\"n\":0}");
	struct id id = id_of(1);

	assert_int_equal(accept(scene, 1, create), 0);
	CLEANUP_FREE char *before = xstrdup(create->representation);
	store_close(scene->store);
	start(scene, scene->place.path);
	assert_int_equal(scene->pending_count, 1);
	assert_string_equal(scene->pending[0].collection, "zones");
	assert_int_equal(scene->pending[0].action, STORE_CREATE);
	assert_true(id_equal(&scene->pending[0].id, &id));
	CLEANUP_FREE char *shown = store_pending_represent(&scene->pending[0], &scene->zones, "http://h/x");
	assert_string_equal(shown, before);
	assert_int_equal(end(scene, 1, create, NULL), 0);
	assert_resource(scene, 1, STORE_ACTIVE, 1, "{\"n\":0}");
	store_change_free(create);
}

static void
on_listed(struct store_list *list)
{
	read_count++;
}

/* The names of a page, one letter each. */
static void
assert_list(struct scene *scene, struct store_list *list, const char *names, uint64_t total)
{
	struct text found = {0};

	list->collection = &scene->zones;
	list->url = (char *)(uintptr_t) "http://h";
	list->done = on_listed;
	read_count = 0;
	store_list(scene->store, list);
	place_wait(&scene->place, &read_count, 1);
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
		assert_int_equal(make(scene, &scene->zones, STORE_CREATE, 6 - i, 0, document), 0);
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

/* Runs SQL on the database of a store that is closed. */
static void
execute(struct scene *scene, const char *sql)
{
	sqlite3 *handle;

	assert_int_equal(sqlite3_open(scene->place.path, &handle), SQLITE_OK);
	assert_int_equal(sqlite3_exec(handle, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

/* What has changed on disk without us is never shown. */
static void
test_damaged(void **state)
{
	struct scene *scene = *state;
	struct store_config config = {.path = scene->place.path, .mailbox = scene->place.mailbox};
	char *why = NULL;

	assert_int_equal(make(scene, &scene->zones, STORE_CREATE, 1, 0, "{}"), 0);
	assert_int_equal(make(scene, &scene->zones, STORE_CREATE, 2, 0, "{}"), 0);
	execute(scene, "UPDATE resource SET version = 7 WHERE sequence = 2");
	assert_int_equal(look(scene, &scene->zones, 2, 0).error, -EIO);
	assert_int_equal(make(scene, &scene->zones, STORE_UPDATE, 2, 0, "{}"), -EIO);
	assert_resource(scene, 1, STORE_ACTIVE, 1, "{}");
	store_close(scene->store);
	assert_int_equal(store_open(&config, &scene->store, &why), 0);
	assert_int_equal(store_load(scene->store, on_load, scene, &why), -EINVAL);
	assert_non_null(strstr(why, "resource 2 is damaged"));
	free(why);
}

/* A database from before there were checksums. */
static void
test_upgrade(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(make(scene, &scene->zones, STORE_CREATE, 1, 0, "{\"name\":\"a\"}"), 0);
	store_close(scene->store);
	execute(scene, "ALTER TABLE resource DROP COLUMN checksum; PRAGMA user_version = 2");
	start(scene, scene->place.path);
	assert_resource(scene, 1, STORE_ACTIVE, 1, "{\"name\":\"a\"}");
	assert_int_equal(make(scene, &scene->zones, STORE_UPDATE, 1, 0, "{}"), 0);
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

	/* What was asked for before this change has been done. */
	assert_int_equal(make(scene, &scene->sets, STORE_DELETE, 1, 1, NULL), -ENOENT);
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
	static const char *const other[] = {"other 'member", NULL};
	struct scene *scene = *state;

	assert_indexes(scene, "resource_by_member sets name;resource_by_member zones name;");
	scene->zones.index = (char **)(uintptr_t)other;
	assert_int_equal(store_add_collection(scene->store, &scene->zones), 0);
	assert_indexes(scene, "resource_by_member sets name;resource_by_member zones other 'member;");
	scene->zones.index = (char **)(uintptr_t)no_names;
	assert_int_equal(store_add_collection(scene->store, &scene->zones), 0);
	assert_indexes(scene, "resource_by_member sets name;");
}

static unsigned judged;

static void
on_judged(struct store_judgement *judgement)
{
	judged++;
}

/* What would become of a change, which does not become of it. */
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
	struct store_change *drop = new_change(&scene->zones, STORE_DELETE, 2, 0, NULL);

	assert_int_equal(make(scene, &scene->zones, STORE_CREATE, 1, 0, "{\"name\":\"a\"}"), 0);
	assert_int_equal(make(scene, &scene->zones, STORE_CREATE, 2, 0, "{}"), 0);
	assert_int_equal(accept(scene, 1, drop), 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct store_judgement judgement = {
			.change = new_change(cases[i].collection, cases[i].action, cases[i].id,
				cases[i].parent, cases[i].document),
			.done = on_judged,
		};
		judged = 0;
		store_judge(scene->store, &judgement);
		place_wait(&scene->place, &judged, 1);
		assert_int_equal(judgement.error, cases[i].error);
		store_change_free(judgement.change);
	}
	assert_resource(scene, 1, STORE_ACTIVE, 1, "{\"name\":\"a\"}");
	assert_missing(scene, &scene->zones, 5, 0);
	store_change_free(drop);
}

#define BOTH(test) \
	{#test " on disk", test, set_up_disk, tear_down, NULL}, \
	{ \
#test " in memory", test, set_up_memory, tear_down, NULL \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_alone),
		BOTH(test_versions),
		BOTH(test_parents),
		BOTH(test_with_operations),
		BOTH(test_end_that_cannot_be_merged),
		BOTH(test_end_without_resource),
		BOTH(test_lists),
		BOTH(test_memory),
		BOTH(test_judgements),
		cmocka_unit_test_setup_teardown(test_damaged, set_up_disk, tear_down),
		cmocka_unit_test_setup_teardown(test_upgrade, set_up_disk, tear_down),
		cmocka_unit_test_setup_teardown(test_indexes, set_up_disk, tear_down),
		cmocka_unit_test_setup_teardown(test_reopen, set_up_disk, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
