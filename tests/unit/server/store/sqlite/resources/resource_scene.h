/* For tests of resources (resources.h): a store with two collections, and changes of their resources. */
#pragma once

#include "tests/unit/server/store/store_place.h"

#include "store/resources.h"

struct scene {
	struct place place;
	struct store *store;
	struct store_collection zones, sets; /* the parents of sets are zones */
	struct store_pending pending[8];     /* from the last load */
	size_t pending_count;
	unsigned done;
};

/* For cmocka: *state becomes a scene on disk, or in memory. */
int scene_set_up_disk(void **state);
int scene_set_up_memory(void **state);
int scene_tear_down(void **state);

#define SCENE_BOTH(test) \
	{#test " on disk", test, scene_set_up_disk, scene_tear_down, NULL}, \
	{ \
#test " in memory", test, scene_set_up_memory, scene_tear_down, NULL \
	}

/* Opens the store at path, or one in memory if path is NULL. */
void scene_start(struct scene *scene, const char *path);

/* A store_load_fn with the scene as its argument: copies the pending changes. */
void scene_on_load(void *arg, const struct store_operation *operation);

struct id scene_id(unsigned n);

/* A change of the resource with that number; the caller frees it. */
struct store_change *scene_change(struct store_collection *collection, enum store_action action, unsigned id,
	unsigned parent, const char *document);

/* Makes a change without an operation and returns its error; scene_make also makes and frees the change. */
int scene_apply(struct scene *scene, struct store_change *change);
int scene_make(struct scene *scene, struct store_collection *collection, enum store_action action,
	unsigned id, unsigned parent, const char *document);

/* Accept, begin and end an operation with that change, and return the error; answer is the work's, or
 * NULL. */
int scene_accept(struct scene *scene, uint64_t sequence, struct store_change *change);
int scene_begin(struct scene *scene, uint64_t sequence, struct store_change *change);
int scene_end(struct scene *scene, uint64_t sequence, struct store_change *change, const char *answer);

/* Reads a resource; the caller frees the result's strings. */
struct store_read scene_look(
	struct scene *scene, struct store_collection *collection, unsigned id, unsigned parent);

/* Assert the state of a zone, and that a resource does not exist. */
void scene_assert_resource(
	struct scene *scene, unsigned id, enum store_status status, uint64_t version, const char *document);
void scene_assert_missing(
	struct scene *scene, struct store_collection *collection, unsigned id, unsigned parent);
