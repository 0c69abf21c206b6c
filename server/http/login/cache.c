/* The cache of right passwords: a table of digests, in order of their expiry. */
#include "http/login/cache.h"

#include "common/clock.h"
#include "common/hash.h"
#include "common/id.h"
#include "common/list.h"
#include "common/text.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	struct hash_node node;
	struct list link; /* in the cache's entries, the first to expire at the head */
	int64_t until_ms;
	uint8_t digest[LOGIN_CACHE_DIGEST_BYTES];
};

struct login_cache {
	struct hash table;
	struct list entries;
	uint8_t key[32];
};

struct login_cache *
login_cache_new(void)
{
	struct login_cache *cache = xcalloc(1, sizeof *cache);

	hash_init(&cache->table);
	list_init(&cache->entries);
	random_bytes(cache->key, sizeof cache->key);
	return cache;
}

static void
forget(struct login_cache *cache, struct entry *entry)
{
	hash_remove(&cache->table, &entry->node);
	list_remove(&entry->link);
	OPENSSL_cleanse(entry->digest, sizeof entry->digest);
	free(entry);
}

void
login_cache_free(struct login_cache *cache)
{
	if (!cache)
		return;
	list_for_each_safe(node, &cache->entries)
		forget(cache, container_of(node, struct entry, link));
	hash_fini(&cache->table);
	OPENSSL_cleanse(cache->key, sizeof cache->key);
	free(cache);
}

void
login_cache_digest(const struct login_cache *cache, const char *name, const char *hash, const char *password,
	uint8_t ret_digest[static LOGIN_CACHE_DIGEST_BYTES])
{
	struct text message = {0};
	unsigned len = LOGIN_CACHE_DIGEST_BYTES;

	/* Reserve everything at once: growing would leave a copy of the password behind. */
	text_reserve(&message, strlen(name) + strlen(hash) + strlen(password) + 3);
	text_add(&message, name, strlen(name) + 1);
	text_add(&message, hash, strlen(hash) + 1);
	text_add(&message, password, strlen(password));
	if (!HMAC(EVP_sha256(), cache->key, sizeof cache->key, (const unsigned char *)message.data,
		    message.len, ret_digest, &len))
		abort();
	OPENSSL_cleanse(message.data, message.len);
	text_fini(&message);
}

static struct entry *
find(const struct login_cache *cache, const uint8_t *digest)
{
	uint64_t value = hash_bytes(&cache->table, digest, LOGIN_CACHE_DIGEST_BYTES);

	for (struct hash_node *node = hash_find(&cache->table, value); node; node = hash_find_next(node)) {
		struct entry *entry = container_of(node, struct entry, node);
		if (CRYPTO_memcmp(entry->digest, digest, sizeof entry->digest) == 0)
			return entry;
	}
	return NULL;
}

int64_t
login_cache_until(struct login_cache *cache, const uint8_t digest[static LOGIN_CACHE_DIGEST_BYTES])
{
	struct entry *entry = find(cache, digest);

	if (entry && clock_mono_ms() >= entry->until_ms) {
		forget(cache, entry);
		entry = NULL;
	}
	return entry ? entry->until_ms : 0;
}

void
login_cache_add(struct login_cache *cache, const uint8_t digest[static LOGIN_CACHE_DIGEST_BYTES])
{
	struct entry *entry = find(cache, digest);

	if (entry)
		forget(cache, entry);
	else if (cache->table.count >= LOGIN_CACHE_MAX)
		forget(cache, container_of(cache->entries.next, struct entry, link));
	entry = xcalloc(1, sizeof *entry);
	memcpy(entry->digest, digest, sizeof entry->digest);
	entry->until_ms = clock_mono_ms() + LOGIN_CACHE_MS;
	hash_add(&cache->table, &entry->node, hash_bytes(&cache->table, digest, LOGIN_CACHE_DIGEST_BYTES));
	list_add_tail(&cache->entries, &entry->link);
}
