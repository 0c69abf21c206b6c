/* Connections by address: a hash table with one entry for each address. */
#include "http/connection/address_count.h"

#include "common/list.h"
#include "common/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct address_count {
	struct hash_node node;
	unsigned connections; /* at least one */
	char address[];
};

void
address_counts_init(struct address_counts *counts)
{
	hash_init(&counts->table);
}

void
address_counts_fini(struct address_counts *counts)
{
	assert(counts->table.count == 0);
	hash_fini(&counts->table);
}

static struct address_count *
find(const struct address_counts *counts, const char *address, uint64_t value)
{
	for (struct hash_node *node = hash_find(&counts->table, value); node; node = hash_find_next(node)) {
		struct address_count *count = container_of(node, struct address_count, node);
		if (strcmp(count->address, address) == 0)
			return count;
	}
	return NULL;
}

struct address_count *
address_count_add(struct address_counts *counts, const char *address, unsigned max)
{
	size_t len = strlen(address);
	uint64_t value = hash_bytes(&counts->table, address, len);
	struct address_count *count = find(counts, address, value);

	if (max == 0 || (count && count->connections >= max))
		return NULL;
	if (!count) {
		count = xcalloc(1, sizeof *count + len + 1);
		memcpy(count->address, address, len + 1);
		hash_add(&counts->table, &count->node, value);
	}
	count->connections++;
	return count;
}

void
address_count_remove(struct address_counts *counts, struct address_count *count)
{
	if (!count || --count->connections > 0)
		return;
	hash_remove(&counts->table, &count->node);
	free(count);
}
