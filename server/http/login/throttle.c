/* The throttle of log-ins: a table of addresses with their failures and next turns. */
#include "http/login/throttle.h"

#include "common/clock.h"
#include "common/hash.h"
#include "common/list.h"
#include "common/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BYTES 9

struct entry {
	struct hash_node node;
	struct list link; /* in the throttle's entries; the latest failure is at the tail */
	uint8_t key[KEY_BYTES];
	unsigned failures;
	int64_t failed_ms; /* time of the last failure */
	int64_t turn_ms;   /* time of the next turn */
};

struct throttle {
	struct hash table;
	struct list entries;
};

struct throttle *
throttle_new(void)
{
	struct throttle *throttle = xcalloc(1, sizeof *throttle);

	hash_init(&throttle->table);
	list_init(&throttle->entries);
	return throttle;
}

static void
forget(struct throttle *throttle, struct entry *entry)
{
	hash_remove(&throttle->table, &entry->node);
	list_remove(&entry->link);
	free(entry);
}

void
throttle_free(struct throttle *throttle)
{
	if (!throttle)
		return;
	list_for_each_safe(node, &throttle->entries)
		forget(throttle, container_of(node, struct entry, link));
	hash_fini(&throttle->table);
	free(throttle);
}

/* The part of an address that identifies a caller, behind its family. */
static void
make_key(const char *address, uint8_t ret_key[static KEY_BYTES])
{
	uint8_t bytes[16];

	memset(ret_key, 0, KEY_BYTES);
	if (inet_pton(AF_INET, address, bytes) == 1) {
		ret_key[0] = 4;
		memcpy(ret_key + 1, bytes, 4);
	} else if (inet_pton(AF_INET6, address, bytes) == 1) {
		ret_key[0] = 6;
		memcpy(ret_key + 1, bytes, 8);
	}
}

static struct entry *
find(struct throttle *throttle, const uint8_t *key)
{
	uint64_t value = hash_bytes(&throttle->table, key, KEY_BYTES);

	for (struct hash_node *node = hash_find(&throttle->table, value); node; node = hash_find_next(node)) {
		struct entry *entry = container_of(node, struct entry, node);
		if (memcmp(entry->key, key, KEY_BYTES) != 0)
			continue;
		if (clock_mono_ms() - entry->failed_ms < THROTTLE_FORGET_MS)
			return entry;
		forget(throttle, entry);
		return NULL;
	}
	return NULL;
}

static int64_t
interval_ms(unsigned failures)
{
	if (failures <= THROTTLE_FREE_FAILURES)
		return 0;
	unsigned doublings = failures - THROTTLE_FREE_FAILURES - 1;
	int64_t interval = doublings < 16 ? (int64_t)THROTTLE_FIRST_MS << doublings : THROTTLE_INTERVAL_MS;
	return interval < THROTTLE_INTERVAL_MS ? interval : THROTTLE_INTERVAL_MS;
}

int64_t
throttle_take_turn(struct throttle *throttle, const char *address)
{
	uint8_t key[KEY_BYTES];

	make_key(address, key);
	struct entry *entry = find(throttle, key);
	int64_t interval = entry ? interval_ms(entry->failures) : 0, now_ms = clock_mono_ms();
	if (interval == 0)
		return 0;
	int64_t turn_ms = entry->turn_ms > now_ms ? entry->turn_ms : now_ms;
	if (turn_ms - now_ms > THROTTLE_WAIT_MS)
		return -EAGAIN;
	entry->turn_ms = turn_ms + interval;
	return turn_ms - now_ms;
}

void
throttle_add_failure(struct throttle *throttle, const char *address)
{
	uint8_t key[KEY_BYTES];

	make_key(address, key);
	struct entry *entry = find(throttle, key);
	if (!entry) {
		if (throttle->table.count >= THROTTLE_ADDRESSES_MAX)
			forget(throttle, container_of(throttle->entries.next, struct entry, link));
		entry = xcalloc(1, sizeof *entry);
		memcpy(entry->key, key, KEY_BYTES);
		hash_add(&throttle->table, &entry->node, hash_bytes(&throttle->table, key, KEY_BYTES));
		list_init(&entry->link);
	}
	list_remove(&entry->link);
	list_add_tail(&throttle->entries, &entry->link);
	entry->failures++;
	entry->failed_ms = clock_mono_ms();
	int64_t earliest_ms = entry->failed_ms + interval_ms(entry->failures);
	if (entry->turn_ms < earliest_ms)
		entry->turn_ms = earliest_ms;
}
