/* A small table of Authorization fields that were good, by two keyed hashes of them. */
#include "http/login/recall.h"

#include "common/clock.h"
#include "common/hash.h"
#include "common/id.h"
#include "common/text.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES 256 /* a power of two */

struct entry {
	uint64_t tag[2];  /* of the field */
	int64_t until_ms; /* INT64_MAX: until others may log in */
	char *name;	  /* NULL: the entry is free */
};

struct login_recall {
	uint8_t keys[2][16]; /* one for each half of a tag */
	struct entry entries[ENTRIES];
};

struct login_recall *
login_recall_new(void)
{
	struct login_recall *recall = xcalloc(1, sizeof *recall);

	random_bytes(recall->keys, sizeof recall->keys);
	return recall;
}

void
login_recall_free(struct login_recall *recall)
{
	if (!recall)
		return;
	login_recall_clear(recall);
	OPENSSL_cleanse(recall->keys, sizeof recall->keys);
	free(recall);
}

static void
forget(struct entry *entry)
{
	free(entry->name);
	*entry = (struct entry){0};
}

/* The place of a field, and its tag. */
static struct entry *
place_of(struct login_recall *recall, const char *field, uint64_t ret_tag[static 2])
{
	size_t len = strlen(field);

	for (int i = 0; i < 2; i++)
		ret_tag[i] = siphash(recall->keys[i], field, len);
	return &recall->entries[ret_tag[0] % ENTRIES];
}

const char *
login_recall_find(struct login_recall *recall, const char *field)
{
	uint64_t tag[2];
	struct entry *entry = place_of(recall, field, tag);

	if (!entry->name || memcmp(entry->tag, tag, sizeof tag) != 0)
		return NULL;
	if (entry->until_ms == INT64_MAX || clock_mono_ms() < entry->until_ms)
		return entry->name;
	forget(entry);
	return NULL;
}

void
login_recall_add(struct login_recall *recall, const char *field, const char *name, int64_t until_ms)
{
	char *copy = xstrdup(name); /* it may be the entry's own */
	uint64_t tag[2];
	struct entry *entry = place_of(recall, field, tag);

	forget(entry);
	memcpy(entry->tag, tag, sizeof tag);
	entry->until_ms = until_ms;
	entry->name = copy;
}

void
login_recall_clear(struct login_recall *recall)
{
	for (size_t i = 0; i < ENTRIES; i++)
		forget(&recall->entries[i]);
}
