/*
 * Equality of values.
 *
 * The items of a short array are compared with each other.  Those of a long one are sorted by a hash that is
 * equal for equal values, and only neighbours of the same hash are compared; the hash is keyed, so that
 * nobody can choose values that have the same one.
 */
#include "common/schema/keywords/equal.h"

#include "common/cleanup.h"
#include "common/hash.h"
#include "common/schema/engine/run.h"
#include "common/text.h"

#include <stdlib.h>
#include <string.h>

/* Up to this many items are compared pair by pair. */
#define SHORT_ARRAY 16

static bool
equal_numbers(struct schema_run *run, struct json_object *a, struct json_object *b)
{
	struct schema_number a_number, b_number;
	size_t read = schema_number_read(a, &a_number) + schema_number_read(b, &b_number);

	return schema_run_spend(run, read / 8) && schema_number_compare(&a_number, &b_number) == 0;
}

static bool
equal_strings(struct schema_run *run, struct json_object *a, struct json_object *b)
{
	size_t len = (size_t)json_object_get_string_len(a);

	return len == (size_t)json_object_get_string_len(b) && schema_run_spend(run, len / 32) &&
	       memcmp(json_object_get_string(a), json_object_get_string(b), len) == 0;
}

static bool
equal_arrays(struct schema_run *run, struct json_object *a, struct json_object *b)
{
	size_t count = json_object_array_length(a);

	if (count != json_object_array_length(b))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!schema_equal(run, json_object_array_get_idx(a, i), json_object_array_get_idx(b, i)))
			return false;
	return true;
}

static bool
equal_objects(struct schema_run *run, struct json_object *a, struct json_object *b)
{
	if (json_object_object_length(a) != json_object_object_length(b))
		return false;
	json_object_object_foreach(a, name, value)
	{
		struct json_object *other;
		if (!schema_run_spend(run, 4 + strlen(name) / 16) ||
			!json_object_object_get_ex(b, name, &other) || !schema_equal(run, value, other))
			return false;
	}
	return true;
}

bool
schema_equal(struct schema_run *run, struct json_object *a, struct json_object *b)
{
	unsigned kind = schema_kind(a);

	if (kind != schema_kind(b) || !schema_run_spend(run, 2))
		return false;
	switch (kind) {
	case SCHEMA_NUMBER:
		return equal_numbers(run, a, b);
	case SCHEMA_STRING:
		return equal_strings(run, a, b);
	case SCHEMA_ARRAY:
		return equal_arrays(run, a, b);
	case SCHEMA_OBJECT:
		return equal_objects(run, a, b);
	case SCHEMA_BOOLEAN:
		return json_object_get_boolean(a) == json_object_get_boolean(b);
	default:
		return true;
	}
}

struct hasher {
	struct schema_run *run;
	uint64_t value;
};

static void
hash_words(struct hasher *hasher, uint64_t a, uint64_t b)
{
	uint64_t words[] = {hasher->value, a, b};

	hasher->value = siphash(hasher->run->schema->hash_key, words, sizeof words);
}

static void
hash_digits(uint64_t word, uint64_t power, void *arg)
{
	hash_words(arg, word, power);
}

static void
hash_number(struct hasher *hasher, struct json_object *value)
{
	struct schema_number number;

	schema_run_spend(hasher->run, schema_number_read(value, &number) / 4);
	hash_words(hasher, number.negative, (uint64_t)number.exponent);
	schema_number_each_word(&number, hash_digits, hasher);
}

static uint64_t
hash_bytes_of(struct schema_run *run, const char *data, size_t len)
{
	schema_run_spend(run, len / 16);
	return siphash(run->schema->hash_key, data, len);
}

static uint64_t hash_value(struct schema_run *run, struct json_object *value);

static void
hash_array(struct hasher *hasher, struct json_object *value)
{
	for (size_t i = 0; i < json_object_array_length(value); i++)
		hash_words(hasher, i, hash_value(hasher->run, json_object_array_get_idx(value, i)));
}

static void
hash_object(struct hasher *hasher, struct json_object *value)
{
	uint64_t sum = 0;

	json_object_object_foreach(value, name, member)
	{
		struct hasher one = {.run = hasher->run};
		uint64_t name_hash = hash_bytes_of(hasher->run, name, strlen(name));
		hash_words(&one, name_hash, hash_value(hasher->run, member));
		sum += one.value;
	}
	hash_words(hasher, (uint64_t)json_object_object_length(value), sum);
}

static uint64_t
hash_value(struct schema_run *run, struct json_object *value)
{
	struct hasher hasher = {.run = run, .value = schema_kind(value)};

	if (!schema_run_spend(run, 8))
		return 0;
	switch (hasher.value) {
	case SCHEMA_NUMBER:
		hash_number(&hasher, value);
		break;
	case SCHEMA_STRING:
		hash_words(&hasher, 0,
			hash_bytes_of(run, json_object_get_string(value),
				(size_t)json_object_get_string_len(value)));
		break;
	case SCHEMA_ARRAY:
		hash_array(&hasher, value);
		break;
	case SCHEMA_OBJECT:
		hash_object(&hasher, value);
		break;
	default:
		hash_words(&hasher, 0, (uint64_t)json_object_get_boolean(value));
	}
	return hasher.value;
}

struct hashed_item {
	uint64_t hash;
	size_t index;
};

static int
compare_hashed(const void *a, const void *b)
{
	const struct hashed_item *a_item = a, *b_item = b;

	if (a_item->hash != b_item->hash)
		return a_item->hash < b_item->hash ? -1 : 1;
	return (a_item->index > b_item->index) - (a_item->index < b_item->index);
}

static bool
find_in_short(struct schema_run *run, struct json_object *array, size_t *ret_first, size_t *ret_second)
{
	size_t count = json_object_array_length(array);

	for (size_t i = 1; i < count; i++)
		for (size_t j = 0; j < i; j++)
			if (schema_equal(run, json_object_array_get_idx(array, j),
				    json_object_array_get_idx(array, i))) {
				*ret_first = j;
				*ret_second = i;
				return true;
			}
	return false;
}

bool
schema_equal_find(struct schema_run *run, struct json_object *array, size_t *ret_first, size_t *ret_second)
{
	size_t count = json_object_array_length(array);

	if (count <= SHORT_ARRAY)
		return find_in_short(run, array, ret_first, ret_second);
	if (!schema_run_spend(run, count * 24))
		return false;
	CLEANUP_FREE struct hashed_item *items = xcalloc(count, sizeof *items);
	for (size_t i = 0; i < count; i++)
		items[i] = (struct hashed_item){hash_value(run, json_object_array_get_idx(array, i)), i};
	if (run->stopped)
		return false;
	qsort(items, count, sizeof *items, compare_hashed);
	/* Of one hash all are equal, but for a chance of one in 2^64 a pair. */
	for (size_t i = 1; i < count; i++)
		if (items[i - 1].hash == items[i].hash &&
			schema_equal(run, json_object_array_get_idx(array, items[i - 1].index),
				json_object_array_get_idx(array, items[i].index))) {
			*ret_first = items[i - 1].index;
			*ret_second = items[i].index;
			return true;
		}
	return false;
}
