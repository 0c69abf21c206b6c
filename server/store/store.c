/* The store's interface: passes each call to the backend (backend.h) and asks the item cache first. */
#include "store/store.h"

#include "store/backend.h"
#include "store/resources.h"
#include "store/shared/item_cache.h"
#include "store/sqlite/memory.h"
#include "store/sqlite/sqlite.h"

#include "common/log.h"

#include <errno.h>
#include <string.h>

int
store_open(const struct store_config *config, struct store **ret_store, char **ret_why)
{
	if (!config->path)
		return store_open_memory(config, ret_store, ret_why);
	return store_open_embedded(config, ret_store, ret_why);
}

const char *
store_earlier_servers(const struct store *store)
{
	return store->backend->earlier_servers ? store->backend->earlier_servers(store) : "";
}

int
store_forget_servers(struct store *store)
{
	return store->backend->forget_servers ? store->backend->forget_servers(store) : 0;
}

int
store_load(struct store *store, store_load_fn fn, void *arg, char **ret_why)
{
	return store->backend->load(store, fn, arg, ret_why);
}

int
store_start(struct store *store)
{
	return store->backend->start(store);
}

void
store_accept(struct store *store, const struct store_operation *operation, store_done_fn done, void *arg)
{
	store->backend->write(store, STORE_ACCEPT, operation, done, arg);
}

void
store_begin(struct store *store, const struct id *id, uint64_t sequence, int64_t started_ms,
	struct store_change *change, store_done_fn done, void *arg)
{
	struct store_operation operation = {
		.id = *id, .sequence = sequence, .started_ms = started_ms, .change = change};

	store->backend->write(store, STORE_BEGIN, &operation, done, arg);
}

void
store_process(struct store *store, const struct id *id, uint64_t sequence, pid_t pid, uint64_t start_time)
{
	struct store_operation operation = {
		.id = *id, .sequence = sequence, .pid = pid, .pid_start_time = start_time};

	store->backend->write(store, STORE_PROCESS, &operation, NULL, NULL);
}

void
store_end(struct store *store, const struct store_operation *operation, store_done_fn done, void *arg)
{
	store->backend->write(store, STORE_END, operation, done, arg);
}

void
store_expire(struct store *store, const struct id *id, uint64_t sequence, int64_t forget_ms,
	store_done_fn done, void *arg)
{
	struct store_operation operation = {.id = *id, .sequence = sequence, .forget_ms = forget_ms};

	store->backend->write(store, STORE_EXPIRE, &operation, done, arg);
}

void
store_forget(struct store *store, const struct id *id, uint64_t sequence)
{
	struct store_operation operation = {.id = *id, .sequence = sequence};

	store->backend->write(store, STORE_FORGET, &operation, NULL, NULL);
}

static void
on_indexed(void *arg, int error)
{
	struct store_change *change = arg;

	if (error && error != -ECANCELED)
		log_error("cannot create indexes", "collection=%s error=%s", change->collection->name,
			strerrorname_np(-error));
	store_change_free(arg);
}

void
store_change(struct store *store, struct store_change *change, store_done_fn done, void *arg)
{
	struct store_operation operation = {.change = change};

	store->backend->write(store, STORE_CHANGE, &operation, done, arg);
}

void
store_attach(struct store *store, const struct id *id, uint64_t sequence, struct store_change *change,
	store_done_fn done, void *arg)
{
	struct store_operation operation = {.id = *id, .sequence = sequence, .change = change};

	store->backend->write(store, STORE_ATTACH, &operation, done, arg);
}

int
store_add_collection(struct store *store, struct store_collection *collection)
{
	struct id none = {0};
	int rc = store->backend->prepare(store);

	if (rc < 0)
		return rc;
	struct store_operation operation = {
		.change = store_change_new(collection, STORE_NONE, &none, &none, "")};
	store->backend->write(store, STORE_INDEX, &operation, on_indexed, operation.change);
	return 0;
}

void
store_read(struct store *store, struct store_read *read)
{
	item_cache_begin_read(store->items, read);
	store->backend->read(store, read);
}

const struct store_item *
store_find_item(struct store *store, const struct store_collection *collection, const struct id *id,
	const struct id *parent, const char *url)
{
	return item_cache_find(store->items, collection, id, parent, url);
}

void
store_judge(struct store *store, struct store_judgement *judgement)
{
	store->backend->judge(store, judgement);
}

void
store_list(struct store *store, struct store_list *list)
{
	store->backend->list(store, list);
}

int
store_spool_fd(const struct store *store)
{
	return store->backend->spool_fd(store);
}

bool
store_is_healthy(const struct store *store)
{
	return store->backend->is_healthy(store);
}

void
store_get_stats(struct store *store, struct store_stats *ret_stats)
{
	store->backend->get_stats(store, ret_stats);
}

void
store_close(struct store *store)
{
	if (store)
		store->backend->close(store);
}
