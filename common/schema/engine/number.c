/*
 * Decimals.
 *
 * A number is a view of its digits and an exponent.  Normalised, two of them are equal exactly if sign,
 * exponent and digits are; and only the exponents and digits are looked at to tell which is greater.  No
 * arithmetic on long numbers is needed but the remainder by a divisor of 64 bits, which takes the digits 18
 * at a time.
 */
#include "common/schema/engine/number.h"

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int64_t
clamp_exponent(int64_t exponent)
{
	if (exponent > SCHEMA_EXPONENT_MAX)
		return SCHEMA_EXPONENT_MAX;
	return exponent < -SCHEMA_EXPONENT_MAX ? -SCHEMA_EXPONENT_MAX : exponent;
}

/* Reads what follows the 'e'. */
static int64_t
read_exponent(const char *at, const char **ret_end)
{
	int64_t exponent = 0;
	bool negative = *at == '-';

	if (*at == '-' || *at == '+')
		at++;
	for (; is_digit(*at); at++)
		if (exponent < SCHEMA_EXPONENT_MAX)
			exponent = exponent * 10 + (*at - '0');
	*ret_end = at;
	return clamp_exponent(negative ? -exponent : exponent);
}

/* Reads a number by the grammar of JSON; returns where it ends. */
static const char *
read_text(const char *at, struct schema_number *number)
{
	const char *first = NULL, *last = NULL;
	int64_t place = 0;    /* digits since the last one that is not zero */
	int64_t fraction = 0; /* digits after the point */
	bool after_point = false;
	size_t count = 0; /* digits from first to here */

	number->negative = *at == '-';
	if (number->negative)
		at++;
	for (; is_digit(*at) || *at == '.'; at++) {
		if (*at == '.') {
			after_point = true;
			continue;
		}
		fraction += after_point;
		place++;
		if (*at != '0') {
			if (!first)
				first = at;
			last = at;
			place = 0;
		}
		count += first != NULL;
	}
	int64_t exponent = *at == 'e' || *at == 'E' ? read_exponent(at + 1, &at) : 0;
	number->digits = first;
	number->count = last ? count - (size_t)place : 0;
	number->exponent = last ? clamp_exponent(exponent - fraction + place) : 0;
	if (!last)
		number->negative = false;
	return at;
}

static size_t
read_int(struct json_object *value, struct schema_number *number)
{
	int64_t whole = json_object_get_int64(value);
	uint64_t rest = whole < 0 ? 0 - (uint64_t)whole : (uint64_t)whole;
	char *at = number->own + sizeof number->own - 1;

	if (whole == INT64_MAX)
		rest = json_object_get_uint64(value);
	number->negative = whole < 0;
	number->exponent = 0;
	number->count = 0;
	number->digits = NULL;
	for (; rest > 0 && rest % 10 == 0; rest /= 10)
		number->exponent++;
	for (; rest > 0; rest /= 10) {
		*--at = (char)('0' + rest % 10);
		number->count++;
		number->digits = at;
	}
	return number->count;
}

/* The shortest decimal that gives the double. */
static void
write_double(double value, char *ret_text, size_t size)
{
	if (!isfinite(value)) {
		snprintf(ret_text, size, "%s", value < 0 ? "-1e9999" : "1e9999");
		return;
	}
	for (int precision = 1; precision <= 17; precision++) {
		snprintf(ret_text, size, "%.*g", precision, value);
		if (strtod(ret_text, NULL) == value)
			return;
	}
}

size_t
schema_number_read(struct json_object *value, struct schema_number *ret_number)
{
	if (json_object_is_type(value, json_type_int))
		return read_int(value, ret_number);
	/* What json_object_new_double_s() keeps: its text.  Asking for the value's string instead would
	 * change the value. */
	const char *text = json_object_get_userdata(value);
	if (!text || (*text != '-' && !is_digit(*text))) {
		write_double(json_object_get_double(value), ret_number->own, sizeof ret_number->own);
		text = ret_number->own;
	}
	return (size_t)(read_text(text, ret_number) - text);
}

/* The next digit of a view, which at has not come to the end of. */
static unsigned
next_digit(const char **at)
{
	if (**at == '.')
		(*at)++;
	return (unsigned)(*(*at)++ - '0');
}

static int
compare_digits(const struct schema_number *a, const struct schema_number *b)
{
	const char *a_at = a->digits, *b_at = b->digits;
	size_t both = a->count < b->count ? a->count : b->count;

	for (size_t i = 0; i < both; i++) {
		int difference = (int)next_digit(&a_at) - (int)next_digit(&b_at);
		if (difference != 0)
			return difference;
	}
	return (a->count > b->count) - (a->count < b->count);
}

static int
compare_magnitude(const struct schema_number *a, const struct schema_number *b)
{
	int64_t a_top = a->exponent + (int64_t)a->count, b_top = b->exponent + (int64_t)b->count;

	if (a->count == 0 || b->count == 0)
		return (a->count > 0) - (b->count > 0);
	if (a_top != b_top)
		return a_top < b_top ? -1 : 1;
	return compare_digits(a, b);
}

int
schema_number_compare(const struct schema_number *a, const struct schema_number *b)
{
	if (a->negative != b->negative)
		return a->negative ? -1 : 1;
	return a->negative ? compare_magnitude(b, a) : compare_magnitude(a, b);
}

bool
schema_number_is_integer(const struct schema_number *number)
{
	return number->exponent >= 0;
}

void
schema_number_each_word(
	const struct schema_number *number, void (*fn)(uint64_t word, uint64_t power, void *arg), void *arg)
{
	const char *at = number->digits;
	uint64_t word = 0, power = 1;

	for (size_t i = 0; i < number->count; i++) {
		word = word * 10 + next_digit(&at);
		power *= 10;
		if (power == 1000000000000000000) {
			fn(word, power, arg);
			word = 0;
			power = 1;
		}
	}
	if (power > 1)
		fn(word, power, arg);
}

int
schema_number_significand(const struct schema_number *number, uint64_t *ret_significand)
{
	const char *at = number->digits;
	uint64_t significand = 0;

	for (size_t i = 0; i < number->count; i++)
		if (__builtin_mul_overflow(significand, 10, &significand) ||
			__builtin_add_overflow(significand, next_digit(&at), &significand))
			return -ERANGE;
	*ret_significand = significand;
	return 0;
}

int
schema_number_to_count(const struct schema_number *number, uint64_t *ret_count)
{
	uint64_t count;

	if (number->negative || !schema_number_is_integer(number))
		return -EINVAL;
	if (schema_number_significand(number, &count) < 0)
		count = UINT64_MAX;
	for (int64_t i = 0; i < number->exponent && count > 0 && count < UINT64_MAX; i++)
		if (__builtin_mul_overflow(count, 10, &count))
			count = UINT64_MAX;
	*ret_count = count;
	return 0;
}

static uint64_t
multiply_modulo(uint64_t a, uint64_t b, uint64_t modulus)
{
	return (uint64_t)((unsigned __int128)a * b % modulus);
}

struct remainder {
	uint64_t divisor;
	uint64_t value;
};

static void
add_word(uint64_t word, uint64_t power, void *arg)
{
	struct remainder *remainder = arg;

	remainder->value =
		(uint64_t)(((unsigned __int128)remainder->value * power + word) % remainder->divisor);
}

bool
schema_number_is_multiple(const struct schema_number *number, uint64_t significand, int64_t exponent)
{
	struct remainder remainder = {.divisor = significand};
	int64_t shift = number->exponent - exponent;

	if (number->count == 0)
		return true;
	/* The divisor's zeros at the end are more than the number's. */
	if (shift < 0)
		return false;
	schema_number_each_word(number, add_word, &remainder);
	uint64_t base = 10 % significand;
	for (; shift > 0 && remainder.value != 0; shift >>= 1) {
		if (shift & 1)
			remainder.value = multiply_modulo(remainder.value, base, significand);
		base = multiply_modulo(base, base, significand);
	}
	return remainder.value == 0;
}
