/* Numbers of JSON as decimals, compared without loss.  Part of the schema, see schema.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

/* A number beyond this exponent counts as having it. */
#define SCHEMA_EXPONENT_MAX 1000000000000000

/* ± digits · 10^exponent, normalised: the first and the last digit are not zero.  It may point into itself
 * and into the value it was read from: it is not copied, and does not outlive the value. */
struct schema_number {
	const char *digits; /* a '.' may stand between them, and counts as nothing */
	size_t count;	    /* of digits; 0: the number is zero */
	int64_t exponent;
	bool negative;
	char own[32]; /* the digits of a value that json-c has no text for */
};

/* Reads an int or a double of json-c.  Returns how many bytes of text it had to read. */
size_t schema_number_read(struct json_object *value, struct schema_number *ret_number);

/* Negative, 0 or positive, as a is less than, equal to or greater than b. */
int schema_number_compare(const struct schema_number *a, const struct schema_number *b);

bool schema_number_is_integer(const struct schema_number *number);

/* The digits as one integer.  -ERANGE from 2^64 on. */
__attribute__((warn_unused_result)) int schema_number_significand(
	const struct schema_number *number, uint64_t *ret_significand);

/* Whether number is a multiple of significand · 10^exponent, which is not zero and normalised. */
bool schema_number_is_multiple(const struct schema_number *number, uint64_t significand, int64_t exponent);

/* A count: what of the number fits, all ones from 2^64 on.  -EINVAL if it is negative or no integer. */
__attribute__((warn_unused_result)) int schema_number_to_count(
	const struct schema_number *number, uint64_t *ret_count);

/* Calls fn for the digits from the first on, 18 at a time (fewer at the end): a word for each, and the power
 * of ten that they span. */
void schema_number_each_word(
	const struct schema_number *number, void (*fn)(uint64_t word, uint64_t power, void *arg), void *arg);
