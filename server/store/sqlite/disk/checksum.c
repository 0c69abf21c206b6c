/*
 * Row checksums: each value is added with its type and its length, eight bytes a step.  A step is a bijection
 * of the sum for fixed bytes, and of the bytes for a fixed sum.  So a change within eight bytes is always
 * detected, and any other change except with a probability of about 2^-64.  It does not protect against
 * deliberate changes.
 */
#include "store/sqlite/disk/checksum.h"

#include <stdint.h>
#include <string.h>

static uint64_t
add_word(uint64_t sum, uint64_t word)
{
	sum = (sum ^ word) * UINT64_C(0x9fb21c651e98df25);
	return sum ^ sum >> 32;
}

static uint64_t
add_bytes(uint64_t sum, const char *data, size_t len)
{
	uint64_t word;

	sum = add_word(sum, len);
	for (; len >= sizeof word; data += sizeof word, len -= sizeof word) {
		memcpy(&word, data, sizeof word);
		sum = add_word(sum, word);
	}
	if (len == 0)
		return sum;
	word = 0;
	memcpy(&word, data, len);
	return add_word(sum, word);
}

static uint64_t
add_value(uint64_t sum, sqlite3_value *value)
{
	int type = sqlite3_value_type(value);

	sum = add_word(sum, (uint64_t)type);
	switch (type) {
	case SQLITE_NULL:
		return sum;
	case SQLITE_INTEGER:
		return add_word(sum, (uint64_t)sqlite3_value_int64(value));
	default: {
		const void *data = sqlite3_value_blob(value);
		return add_bytes(sum, data, (size_t)sqlite3_value_bytes(value));
	}
	}
}

uint64_t
checksum_of(sqlite3_value **values, int count)
{
	uint64_t sum = (uint64_t)count;

	for (int i = 0; i < count; i++)
		sum = add_value(sum, values[i]);
	return sum;
}

static void
row_checksum(sqlite3_context *context, int count, sqlite3_value **values)
{
	sqlite3_result_int64(context, (sqlite3_int64)checksum_of(values, count));
}

int
checksum_register(sqlite3 *handle)
{
	return sqlite3_create_function(handle, "row_checksum", -1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL,
		row_checksum, NULL, NULL);
}
