/* The item cache: a table of entries by id, in the order of their last use. */
#include "store/shared/item_cache.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* An item larger than 1/SHARE_MAX of the cache is not kept: it would displace too many others. */
#define SHARE_MAX 64

/* Roughly the overhead of malloc and the tables for each entry. */
#define OVERHEAD_BYTES 96

struct entry {
	struct hash_node node;
	struct list link;	/* in the cache's entries */
	struct list child_link; /* in the cache's children, if the resource has a parent */
	struct store_collection
		*collection; /* a reference, so that no other collection can get its address */
	struct id id;
	struct id parent;
	char *url;
	struct store_item item;
	size_t bytes; /* its share of the cache's bytes */
};

struct item_cache {
	unsigned references;
	size_t max_bytes, bytes;
	struct hash table;    /* struct entry by id */
	struct list entries;  /* all entries, the most recently used first */
	struct list children; /* entries with a parent, in no order */
	struct hash reads;    /* unfinished struct store_read, by id */
};

struct item_cache *
item_cache_new(size_t max_bytes)
{
	struct item_cache *cache = xcalloc(1, sizeof *cache);

	cache->references = 1;
	cache->max_bytes = max_bytes;
	hash_init(&cache->table);
	hash_init(&cache->reads);
	list_init(&cache->entries);
	list_init(&cache->children);
	return cache;
}

struct item_cache *
item_cache_ref(struct item_cache *cache)
{
	cache->references++;
	return cache;
}

static void
forget(struct item_cache *cache, struct entry *entry)
{
	hash_remove(&cache->table, &entry->node);
	list_remove(&entry->link);
	list_remove(&entry->child_link);
	cache->bytes -= entry->bytes;
	store_collection_unref(entry->collection);
	blob_unref(entry->item.representation);
	free(entry->url);
	free(entry);
}

void
item_cache_unref(struct item_cache *cache)
{
	if (!cache || --cache->references > 0)
		return;
	assert(cache->reads.count == 0);
	list_for_each_safe(node, &cache->entries)
		forget(cache, container_of(node, struct entry, link));
	hash_fini(&cache->table);
	hash_fini(&cache->reads);
	free(cache);
}

static uint64_t
hash_id(const struct hash *hash, const struct id *id)
{
	return hash_bytes(hash, id, sizeof *id);
}

static struct entry *
find(const struct item_cache *cache, const struct id *id)
{
	struct hash_node *node = hash_find(&cache->table, hash_id(&cache->table, id));

	for (; node; node = hash_find_next(node)) {
		struct entry *entry = container_of(node, struct entry, node);
		if (id_equal(&entry->id, id))
			return entry;
	}
	return NULL;
}

/* Whether entry is the result of a read with these parameters. */
static bool
is_of(const struct entry *entry, const struct store_collection *collection, const struct id *parent,
	const char *url)
{
	return entry->collection == collection && (!collection->parent || id_equal(&entry->parent, parent)) &&
	       strcmp(entry->url, url) == 0;
}

const struct store_item *
item_cache_find(struct item_cache *cache, const struct store_collection *collection, const struct id *id,
	const struct id *parent, const char *url)
{
	struct entry *entry = find(cache, id);

	if (!entry || !is_of(entry, collection, parent, url))
		return NULL;
	list_remove(&entry->link);
	list_add_head(&cache->entries, &entry->link);
	return &entry->item;
}

void
item_cache_begin_read(struct item_cache *cache, struct store_read *read)
{
	read->cache = item_cache_ref(cache);
	read->is_stale = false;
	hash_add(&cache->reads, &read->by_id, hash_id(&cache->reads, &read->id));
}

static void
add(struct item_cache *cache, const struct store_read *read)
{
	size_t len = strlen(read->representation), url_len = strlen(read->url);
	size_t bytes = sizeof(struct entry) + OVERHEAD_BYTES + len + url_len;
	struct entry *entry = find(cache, &read->id);

	if (entry)
		forget(cache, entry);
	if (bytes > cache->max_bytes / SHARE_MAX)
		return;
	entry = xcalloc(1, sizeof *entry);
	entry->collection = store_collection_ref(read->collection);
	entry->id = read->id;
	entry->parent = read->parent;
	entry->url = xstrndup(read->url, url_len);
	entry->item.status = read->status;
	entry->item.version = read->version;
	entry->item.representation = blob_new(read->representation, len);
	entry->bytes = bytes;
	cache->bytes += bytes;
	hash_add(&cache->table, &entry->node, hash_id(&cache->table, &entry->id));
	list_add_head(&cache->entries, &entry->link);
	list_init(&entry->child_link);
	if (read->collection->parent)
		list_add_tail(&cache->children, &entry->child_link);
	while (cache->bytes > cache->max_bytes)
		forget(cache, container_of(cache->entries.prev, struct entry, link));
}

void
item_cache_end_read(struct store_read *read)
{
	struct item_cache *cache = read->cache;

	hash_remove(&cache->reads, &read->by_id);
	if (read->error == 0 && !read->is_stale)
		add(cache, read);
	read->cache = NULL;
	item_cache_unref(cache);
}

static void
spoil_child(struct hash_node *node, void *arg)
{
	struct store_read *read = container_of(node, struct store_read, by_id);

	(void)arg;
	read->is_stale |= read->collection->parent != NULL;
}

/* Dependents have been deleted with their parent, and there is no list of them: drops every resource that has
 * a parent. */
static void
drop_children(struct item_cache *cache)
{
	list_for_each_safe(node, &cache->children)
		forget(cache, container_of(node, struct entry, child_link));
	hash_each(&cache->reads, spoil_child, NULL);
}

void
item_cache_drop(struct item_cache *cache, const struct store_change *change)
{
	struct entry *entry = find(cache, &change->id);
	struct hash_node *node = hash_find(&cache->reads, hash_id(&cache->reads, &change->id));

	if (entry)
		forget(cache, entry);
	for (; node; node = hash_find_next(node)) {
		struct store_read *read = container_of(node, struct store_read, by_id);
		read->is_stale |= id_equal(&read->id, &change->id);
	}
	if (change->took_others)
		drop_children(cache);
}
