/* Ids: version 4 UUIDs (RFC 9562) from the kernel's generator.  An id is a secret. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 36 characters and their NUL. */
#define ID_TEXT_SIZE 37

struct id {
	uint8_t bytes[16];
};

/* Fills buffer from getrandom(2); aborts where the kernel has none to give.  Any thread. */
void random_bytes(void *buffer, size_t len);

/* Makes a new id.  Any thread. */
void id_generate(struct id *ret_id);

/* Reads the canonical form, 8-4-4-4-12 hexadecimal digits of either case.  -EINVAL for anything else.  Any
 * thread. */
__attribute__((warn_unused_result)) int id_parse(const char *text, size_t len, struct id *ret_id);

/* Writes the canonical form in lower case.  Any thread. */
void id_format(const struct id *id, char ret_text[static ID_TEXT_SIZE]);

bool id_equal(const struct id *a, const struct id *b);
