/* What tests of the store's resources stand on: a store with two collections, and changes of what is in them. */
#pragma once

#include "store_place.h"

#include "store/resources.h"

struct scene {
	struct place place;
	struct store *store;
	struct store_collection zones, sets; /* sets belong to zones */
	struct store_pending pending[8];     /* of the last load */
	size_t pending_count;
	unsigned done;
};

/* For cmocka: a scene on disk, or in memory, becomes *state. */
int scene_set_up_disk(void **state);
int scene_set_up_memory(void **state);
int scene_tear_down(void **state);

#define SCENE_BOTH(test) \
	{#test " on disk", test, scene_set_up_disk, scene_tear_down, NULL}, \
	{ \
#test " in memory", test, scene_set_up_memory, scene_tear_down, NULL \
	}

/* Opens the store, that of path or (NULL) one in memory. */
void scene_start(struct scene *scene, const char *path);

/* A store_load_fn, its argument is the scene: keeps the changes that operations have still to make. */
void scene_on_load(void *arg, const struct store_operation *operation);

struct id scene_id(unsigned n);

/* A change to the resource of that number; the caller's. */
struct store_change *scene_change(struct store_collection *collection, enum store_action action, unsigned id,
	unsigned parent, const char *document);

/* Makes it alone, and tells what came of it; the second makes the change, too. */
int scene_apply(struct scene *scene, struct store_change *change);
int scene_make(struct scene *scene, struct store_collection *collection, enum store_action action,
	unsigned id, unsigned parent, const char *document);

/* It is the change of an operation, which is accepted, begins and ends; answer is what the work said, NULL: nothing. */
int scene_accept(struct scene *scene, uint64_t sequence, struct store_change *change);
int scene_begin(struct scene *scene, uint64_t sequence, struct store_change *change);
int scene_end(struct scene *scene, uint64_t sequence, struct store_change *change, const char *answer);

/* Reads a resource; what was read is the caller's. */
struct store_read scene_look(
	struct scene *scene, struct store_collection *collection, unsigned id, unsigned parent);

/* Of a zone. */
void scene_assert_resource(
	struct scene *scene, unsigned id, enum store_status status, uint64_t version, const char *document);
void scene_assert_missing(
	struct scene *scene, struct store_collection *collection, unsigned id, unsigned parent);
