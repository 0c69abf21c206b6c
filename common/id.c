/* Ids: version 4 UUIDs from a cryptographic generator. */
#include "common/id.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Random bytes that are asked for at once, as a call needs but a few. */
#define AHEAD 512

/* The places of the hyphens in the canonical form. */
static bool
is_hyphen_place(size_t at)
{
	return at == 8 || at == 13 || at == 18 || at == 23;
}

static void
ask_kernel(void *buffer, size_t len)
{
	char *at = buffer;

	while (len > 0) {
		ssize_t n = getrandom(at, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			abort();
		at += n;
		len -= (size_t)n;
	}
}

static _Thread_local struct {
	uint8_t bytes[AHEAD];
	size_t left;
} ahead;

/* A child of fork(2) must not hand out what its parent will. */
static void
forget_ahead(void)
{
	ahead.left = 0;
}

static void
watch_forks(void)
{
	(void)pthread_atfork(NULL, NULL, forget_ahead);
}

static void
ask_ahead(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, watch_forks);
	ask_kernel(ahead.bytes, AHEAD);
	ahead.left = AHEAD;
}

/* Hands out random bytes, and clears the copy of them that is kept here. */
void
random_bytes(void *buffer, size_t len)
{
	if (len > AHEAD / 4) {
		ask_kernel(buffer, len);
		return;
	}
	if (ahead.left < len)
		ask_ahead();
	ahead.left -= len;
	memcpy(buffer, ahead.bytes + ahead.left, len);
	explicit_bzero(ahead.bytes + ahead.left, len);
}

void
id_generate(struct id *ret_id)
{
	random_bytes(ret_id->bytes, sizeof ret_id->bytes);
	ret_id->bytes[6] = (uint8_t)((ret_id->bytes[6] & 0x0f) | 0x40);
	ret_id->bytes[8] = (uint8_t)((ret_id->bytes[8] & 0x3f) | 0x80);
}

/* The value of a digit; else one with bits that none has. */
static inline int
hex_value(char c)
{
	unsigned digit = (unsigned char)c - '0', letter = ((unsigned char)c | 0x20) - 'a';

	return digit < 10 ? (int)digit : letter < 6 ? (int)letter + 10 : 0x100;
}

int
id_parse(const char *text, size_t len, struct id *ret_id)
{
	struct id id;
	size_t out = 0;

	if (len != ID_TEXT_SIZE - 1)
		return -EINVAL;
	for (size_t i = 0; i < len;) {
		if (is_hyphen_place(i)) {
			if (text[i++] != '-')
				return -EINVAL;
			continue;
		}
		int octet = hex_value(text[i]) << 4 | hex_value(text[i + 1]);
		if (octet & ~0xff)
			return -EINVAL;
		id.bytes[out++] = (uint8_t)octet;
		i += 2;
	}
	*ret_id = id;
	return 0;
}

void
id_format(const struct id *id, char ret_text[static ID_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	char *at = ret_text;

	for (size_t i = 0; i < sizeof id->bytes; i++) {
		if (is_hyphen_place((size_t)(at - ret_text)))
			*at++ = '-';
		*at++ = digits[id->bytes[i] >> 4];
		*at++ = digits[id->bytes[i] & 15];
	}
	*at = '\0';
}

bool
id_equal(const struct id *a, const struct id *b)
{
	return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}
