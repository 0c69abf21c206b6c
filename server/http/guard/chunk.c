/* The wire guard's chunked bodies (RFC 9112, 7.1): sizes, extensions (which are dropped), data. */
#include "common/text.h"
#include "http/guard/private.h"

enum { CHUNK_SIZE_DIGITS = 16 };

void
guard_chunk_next(struct guard *guard)
{
	guard->part = 0;
	guard->number = 0;
	guard->state = GUARD_CHUNK_SIZE;
}

static enum guard_verdict
end_chunk_size(struct guard *guard, struct guard_run *run)
{
	uint8_t c = *run->at;

	if (guard->part == 0 || (c != '\r' && c != ';' && !guard_is(c, BYTE_BLANK)))
		return guard_refuse(guard, PROBLEM_BAD_REQUEST, "A chunk size is not a hexadecimal number.");
	if (c == '\r') {
		guard->state = GUARD_CHUNK_CR;
		return GUARD_PASS;
	}
	guard->drop = true;
	guard->part = 0;
	guard->left = guard->limits->max_chunk_ext_bytes;
	guard->state = GUARD_CHUNK_EXT;
	return GUARD_PASS;
}

enum guard_verdict
guard_chunk_size(struct guard *guard, struct guard_run *run)
{
	uint64_t most = guard->body_limit - guard->body_total;

	for (; run->at < run->end; run->at++) {
		int digit = text_hex_value((char)*run->at);
		if (digit < 0)
			return end_chunk_size(guard, run);
		if (guard->part == CHUNK_SIZE_DIGITS)
			return guard_refuse(
				guard, PROBLEM_BAD_REQUEST, "A chunk size has more than 16 digits.");
		if ((uint64_t)digit > most || guard->number > (most - (uint64_t)digit) >> 4)
			return guard_refuse_long_body(guard);
		guard->number = guard->number << 4 | (uint64_t)digit;
		guard->part++;
	}
	return GUARD_PASS;
}

/* Where in chunk-ext (RFC 9112, 7.1.1) the next byte is, and what it may be there. */
enum ext_part {
	EXT_BEFORE, /* blanks before a semicolon */
	EXT_START,  /* blanks before a name */
	EXT_NAME,
	EXT_NAMED, /* blanks after a name */
	EXT_EQUAL, /* blanks before a value */
	EXT_VALUE, /* a token */
	EXT_QUOTED,
	EXT_ESCAPED, /* after a backslash in quotes */
	EXT_CLOSED,  /* after quotes */
	EXT_BAD,
};

enum ext_class {
	EXT_BLANK,
	EXT_SEMICOLON,
	EXT_SIGN,
	EXT_QUOTE,
	EXT_BACKSLASH,
	EXT_TOKEN,
	EXT_OTHER,
	EXT_CONTROL
};

static const uint8_t ext_next[EXT_BAD][EXT_CONTROL] = {
	/* blank, semicolon, equals sign, quote, backslash, token, other printable ones */
	[EXT_BEFORE] = {EXT_BEFORE, EXT_START, EXT_BAD, EXT_BAD, EXT_BAD, EXT_BAD, EXT_BAD},
	[EXT_START] = {EXT_START, EXT_BAD, EXT_BAD, EXT_BAD, EXT_BAD, EXT_NAME, EXT_BAD},
	[EXT_NAME] = {EXT_NAMED, EXT_START, EXT_EQUAL, EXT_BAD, EXT_BAD, EXT_NAME, EXT_BAD},
	[EXT_NAMED] = {EXT_NAMED, EXT_START, EXT_EQUAL, EXT_BAD, EXT_BAD, EXT_BAD, EXT_BAD},
	[EXT_EQUAL] = {EXT_EQUAL, EXT_BAD, EXT_BAD, EXT_QUOTED, EXT_BAD, EXT_VALUE, EXT_BAD},
	[EXT_VALUE] = {EXT_BEFORE, EXT_START, EXT_BAD, EXT_BAD, EXT_BAD, EXT_VALUE, EXT_BAD},
	[EXT_QUOTED] = {EXT_QUOTED, EXT_QUOTED, EXT_QUOTED, EXT_CLOSED, EXT_ESCAPED, EXT_QUOTED, EXT_QUOTED},
	[EXT_ESCAPED] = {EXT_QUOTED, EXT_QUOTED, EXT_QUOTED, EXT_QUOTED, EXT_QUOTED, EXT_QUOTED, EXT_QUOTED},
	[EXT_CLOSED] = {EXT_BEFORE, EXT_START, EXT_BAD, EXT_BAD, EXT_BAD, EXT_BAD, EXT_BAD},
};

static enum ext_class
ext_class(uint8_t c)
{
	static const uint8_t special[] = {[' '] = EXT_BLANK,
		['\t'] = EXT_BLANK,
		[';'] = EXT_SEMICOLON,
		['='] = EXT_SIGN,
		['"'] = EXT_QUOTE,
		['\\'] = EXT_BACKSLASH};

	if (guard_is(c, BYTE_TOKEN))
		return EXT_TOKEN;
	if (guard_is(c, BYTE_BLANK) || (c < sizeof(special) && special[c]))
		return special[c];
	return guard_is(c, BYTE_VALUE) ? EXT_OTHER : EXT_CONTROL;
}

static bool
ext_may_end(const struct guard *guard)
{
	return guard->part == EXT_NAME || guard->part == EXT_VALUE || guard->part == EXT_CLOSED;
}

enum guard_verdict
guard_chunk_ext(struct guard *guard, struct guard_run *run)
{
	for (; run->at < run->end; run->at++) {
		uint8_t c = *run->at;
		if (c == '\r' && ext_may_end(guard)) {
			guard->drop = false;
			guard->state = GUARD_CHUNK_CR;
			return GUARD_PASS;
		}
		if (guard->left-- == 0)
			return guard_refuse(
				guard, PROBLEM_BAD_REQUEST, "A chunk's extensions are longer than allowed.");
		enum ext_class class = ext_class(c);
		guard->part = class == EXT_CONTROL ? EXT_BAD : ext_next[guard->part][class];
		if (guard->part == EXT_BAD)
			return guard_refuse(guard, PROBLEM_BAD_REQUEST, "A chunk's extension is malformed.");
	}
	return GUARD_PASS;
}

enum guard_verdict
guard_chunk_cr(struct guard *guard, struct guard_run *run)
{
	return guard_expect(guard, run, '\r', GUARD_CHUNK_LF, "A chunk size does not end with CRLF.");
}

enum guard_verdict
guard_chunk_begin(struct guard *guard, struct guard_run *run)
{
	/* The limit may have been lowered after the last digit. */
	if (guard->number > guard->body_limit - guard->body_total)
		return guard_refuse_long_body(guard);
	enum guard_verdict verdict =
		guard_expect(guard, run, '\n', GUARD_CHUNK_DATA, "A chunk size does not end with CRLF.");
	if (verdict != GUARD_PASS)
		return verdict;
	guard->body_left = guard->number;
	guard->body_total += guard->number;
	if (guard->number == 0) {
		guard->trailers = true;
		guard_field_begin_section(guard);
	}
	return GUARD_PASS;
}

enum guard_verdict
guard_chunk_data_cr(struct guard *guard, struct guard_run *run)
{
	return guard_expect(guard, run, '\r', GUARD_CHUNK_DATA_LF, "A chunk is not followed by CRLF.");
}

enum guard_verdict
guard_chunk_data_lf(struct guard *guard, struct guard_run *run)
{
	enum guard_verdict verdict =
		guard_expect(guard, run, '\n', GUARD_CHUNK_SIZE, "A chunk is not followed by CRLF.");

	if (verdict == GUARD_PASS)
		guard_chunk_next(guard);
	return verdict;
}

enum guard_verdict
guard_chunk_end(struct guard *guard, struct guard_run *run)
{
	enum guard_verdict verdict =
		guard_expect(guard, run, '\n', GUARD_START, "A CR is not followed by an LF.");

	return verdict == GUARD_PASS ? guard_complete(guard) : verdict;
}
