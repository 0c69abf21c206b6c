/* Collections and changes as values: resources.h declares them. */
#include "store/resources.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json/canonical.h"
#include "common/json/json.h"

#include <string.h>

/* The members that the server sets in every resource. */
static const char *const own_members[] = {
	"id", "status", "action", "version", "created_at", "updated_at", "status_message", "links"};

static const char *const statuses[] = {"ACTIVE", "PENDING", "ERROR"};
static const char *const actions[] = {"NONE", "CREATE", "UPDATE", "DELETE"};

const char *
store_status_name(enum store_status status)
{
	return statuses[status];
}

const char *
store_action_name(enum store_action action)
{
	return actions[action];
}

struct store_collection *
store_collection_ref(struct store_collection *collection)
{
	atomic_fetch_add_explicit(&collection->references, 1, memory_order_relaxed);
	return collection;
}

struct store_collection *
store_collection_new_stand_in(const struct store_pending *pending)
{
	static const struct id none;
	struct store_collection *collection = xcalloc(1, sizeof *collection);

	collection->references = 1;
	collection->name = xstrdup(pending->collection);
	collection->parent = id_equal(&pending->parent, &none) ? NULL : xstrdup("");
	collection->unique = xcalloc(1, sizeof(char *));
	collection->index = xcalloc(1, sizeof(char *));
	collection->envelope = xcalloc(1, sizeof(char *));
	collection->delete_status = 204;
	return collection;
}

static void
free_list(char **list)
{
	for (char **item = list; item && *item; item++)
		free(*item);
	free(list);
}

void
store_collection_unref(struct store_collection *collection)
{
	if (!collection || atomic_fetch_sub_explicit(&collection->references, 1, memory_order_acq_rel) > 1)
		return;
	free(collection->name);
	free(collection->parent);
	free(collection->parent_member);
	free_list(collection->above);
	free_list(collection->unique);
	free_list(collection->index);
	free_list(collection->envelope);
	free(collection);
}

bool
store_collection_owns(const struct store_collection *collection, const char *name)
{
	for (size_t i = 0; i < sizeof own_members / sizeof *own_members; i++)
		if (strcmp(own_members[i], name) == 0)
			return true;
	return collection->parent_member && strcmp(collection->parent_member, name) == 0;
}

void
store_collection_strip(const struct store_collection *collection, struct json_object *object)
{
	for (size_t i = 0; i < sizeof own_members / sizeof *own_members; i++)
		json_object_object_del(object, own_members[i]);
	if (collection->parent_member)
		json_object_object_del(object, collection->parent_member);
}

struct store_change *
store_change_new(struct store_collection *collection, enum store_action action, const struct id *id,
	const struct id *parent, const char *url)
{
	struct store_change *change = xcalloc(1, sizeof *change);

	change->collection = store_collection_ref(collection);
	change->action = action;
	change->id = *id;
	change->parent = *parent;
	change->url = xstrdup(url);
	change->now_ms = clock_wall_ms();
	return change;
}

static size_t
count(char **names)
{
	size_t n = 0;

	while (names[n])
		n++;
	return n;
}

static void
free_unique(struct store_change *change)
{
	for (size_t i = 0; change->unique && change->collection->unique[i]; i++)
		free(change->unique[i]);
	free(change->unique);
	change->unique = NULL;
}

void
store_change_free(struct store_change *change)
{
	if (!change)
		return;
	free_unique(change);
	store_collection_unref(change->collection);
	free(change->document);
	free(change->url);
	free(change->message);
	blob_unref(change->answer);
	free(change->representation);
	free(change->on_change);
	fields_fini(&change->fields);
	blob_unref(change->body);
	free(change);
}

static char *
to_text(struct json_object *value)
{
	return xstrdup(json_object_to_json_string_ext(
		value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

void
store_change_set_document(struct store_change *change, struct json_object *document)
{
	char **names = change->collection->unique;

	free_unique(change);
	free(change->document);
	change->document = to_text(document);
	change->unique = xcalloc(count(names) + 1, sizeof *change->unique);
	for (size_t i = 0; names[i]; i++) {
		struct json_object *value = json_find(document, names[i], NULL);
		if (value) {
			struct text text = {0};
			json_add_canonical(&text, value);
			change->unique[i] = text_take(&text);
		}
	}
}

void
store_change_make_response(struct store_change *change)
{
	fields_fini(&change->fields);
	blob_unref(change->body);
	change->body = NULL;
	if (change->action == STORE_DELETE) {
		change->status = change->collection->delete_status;
		return;
	}
	change->status = change->action == STORE_CREATE ? 201 : 200;
	fields_put(&change->fields, "Content-Type", "application/json");
	fields_put(&change->fields, "Location", change->url);
	fields_putf(&change->fields, "ETag", "\"%llu\"", (unsigned long long)change->version);
	change->body = blob_new(change->representation, strlen(change->representation));
}
