/* Times and sizes with units: parser and writer. */
#include "config/settings/units.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

struct unit {
	const char *name;
	uint64_t worth; /* of the smallest unit */
};

/* Both from the smallest to the largest, ended by a name that is NULL. */
static const struct unit times[] = {
	{"ms", 1},
	{"s", 1000},
	{"m", 60 * 1000},
	{"h", 60 * 60 * 1000},
	{"d", 24 * 60 * 60 * 1000},
	{NULL, 0},
};
static const struct unit sizes[] = {
	{"B", 1},
	{"KiB", UINT64_C(1) << 10},
	{"MiB", UINT64_C(1) << 20},
	{"GiB", UINT64_C(1) << 30},
	{"TiB", UINT64_C(1) << 40},
	{NULL, 0},
};

static const struct unit *
find_unit(const struct unit *units, const char *name, size_t len)
{
	for (; units->name; units++)
		if (strlen(units->name) == len && memcmp(units->name, name, len) == 0)
			return units;
	return NULL;
}

static int
parse(const struct unit *units, const char *data, size_t len, uint64_t *ret_value)
{
	size_t digits = 0;
	uint64_t number;

	while (digits < len && data[digits] >= '0' && data[digits] <= '9')
		digits++;
	const struct unit *unit = find_unit(units, data + digits, len - digits);
	if (!unit)
		return -EINVAL;
	int error = text_parse_uint(data, digits, UINT64_MAX / unit->worth, &number);
	if (error)
		return error;
	*ret_value = number * unit->worth;
	return 0;
}

static const struct unit *
largest_unit(const struct unit *units, uint64_t value)
{
	const struct unit *best = units;

	for (; units->name; units++)
		if (value % units->worth == 0)
			best = units;
	return best;
}

int
units_parse_time(const char *data, size_t len, uint64_t *ret_ms)
{
	return parse(times, data, len, ret_ms);
}

int
units_parse_size(const char *data, size_t len, uint64_t *ret_bytes)
{
	return parse(sizes, data, len, ret_bytes);
}

void
units_add_time(struct text *text, uint64_t ms)
{
	const struct unit *unit = ms == 0 ? &times[1] : largest_unit(times, ms);

	text_addf(text, "%" PRIu64 "%s", ms / unit->worth, unit->name);
}

void
units_add_size(struct text *text, uint64_t bytes)
{
	const struct unit *unit = bytes == 0 ? &sizes[0] : largest_unit(sizes, bytes);

	text_addf(text, "%" PRIu64 "%s", bytes / unit->worth, unit->name);
}
