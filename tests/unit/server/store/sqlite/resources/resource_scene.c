/* A store with two collections for tests of resources. */
#include "tests/unit/server/store/sqlite/resources/resource_scene.h"

#include "common/cleanup.h"
#include "common/json/json.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char *const no_names[] = {NULL};
static const char *const name_only[] = {"name", NULL};

void
scene_on_load(void *arg, const struct store_operation *operation)
{
	struct scene *scene = arg;

	if (!operation->pending)
		return;
	struct store_pending *copy = &scene->pending[scene->pending_count++];
	*copy = *operation->pending;
	copy->collection = xstrdup(copy->collection);
	copy->document = xstrdup(copy->document);
}

void
scene_start(struct scene *scene, const char *path)
{
	struct store_config config = {.path = path, .mailbox = scene->place.mailbox};
	char *why = NULL;

	assert_int_equal(store_open(&config, &scene->store, &why), 0);
	assert_int_equal(store_load(scene->store, scene_on_load, scene, &why), 0);
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

int
scene_set_up_disk(void **state)
{
	struct scene *scene = new_scene();

	scene_start(scene, scene->place.path);
	*state = scene;
	return 0;
}

int
scene_set_up_memory(void **state)
{
	struct scene *scene = new_scene();

	scene_start(scene, NULL);
	*state = scene;
	return 0;
}

int
scene_tear_down(void **state)
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

struct id
scene_id(unsigned n)
{
	struct id id = {.bytes = {(uint8_t)n, (uint8_t)(n >> 8), 1}};

	return id;
}

struct store_change *
scene_change(struct store_collection *collection, enum store_action action, unsigned id, unsigned parent,
	const char *document)
{
	struct id its = scene_id(id), of_parent = scene_id(parent);
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

int
scene_apply(struct scene *scene, struct store_change *change)
{
	unsigned count = 0;
	struct outcome outcome = {.count = &count};

	store_change(scene->store, change, outcome_done, &outcome);
	place_wait(&scene->place, &count, 1);
	return outcome.error;
}

int
scene_make(struct scene *scene, struct store_collection *collection, enum store_action action, unsigned id,
	unsigned parent, const char *document)
{
	struct store_change *change = scene_change(collection, action, id, parent, document);
	int rc = scene_apply(scene, change);

	store_change_free(change);
	return rc;
}

int
scene_accept(struct scene *scene, uint64_t sequence, struct store_change *change)
{
	struct store_operation operation = place_operation(sequence);
	unsigned count = 0;
	struct outcome outcome = {.count = &count};

	operation.change = change;
	store_accept(scene->store, &operation, outcome_done, &outcome);
	place_wait(&scene->place, &count, 1);
	return outcome.error;
}

int
scene_begin(struct scene *scene, uint64_t sequence, struct store_change *change)
{
	struct store_operation operation = place_operation(sequence);
	unsigned count = 0;
	struct outcome outcome = {.count = &count};

	store_begin(scene->store, &operation.id, sequence, 1, change, outcome_done, &outcome);
	place_wait(&scene->place, &count, 1);
	return outcome.error;
}

int
scene_end(struct scene *scene, uint64_t sequence, struct store_change *change, const char *answer)
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

struct store_read
scene_look(struct scene *scene, struct store_collection *collection, unsigned id, unsigned parent)
{
	struct store_read read = {.collection = collection,
		.id = scene_id(id),
		.parent = scene_id(parent),
		.url = "http://h/x",
		.done = on_read};

	read_count = 0;
	store_read(scene->store, &read);
	place_wait(&scene->place, &read_count, 1);
	return read;
}

void
scene_assert_resource(
	struct scene *scene, unsigned id, enum store_status status, uint64_t version, const char *document)
{
	struct store_read read = scene_look(scene, &scene->zones, id, 0);

	assert_int_equal(read.error, 0);
	assert_int_equal(read.status, status);
	assert_int_equal(read.version, version);
	assert_string_equal(read.document, document);
	free(read.document);
	free(read.representation);
}

void
scene_assert_missing(struct scene *scene, struct store_collection *collection, unsigned id, unsigned parent)
{
	assert_int_equal(scene_look(scene, collection, id, parent).error, -ENOENT);
}
