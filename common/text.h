/* Text: a growing buffer, and the checks of strings that protocols need. */
#pragma once

#include "common/memory.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A buffer that grows; all zero is an empty one.  data is NUL-terminated once anything was added.
 * Growing aborts when memory is out: the caller limits bytes from outside. */
struct text {
	char *data;
	size_t len;  /* without the NUL */
	size_t size; /* allocated */
};

void text_add(struct text *text, const void *data, size_t len);
void text_add_string(struct text *text, const char *string);
void text_add_char(struct text *text, char c);
void text_add_uint(struct text *text, uint64_t value); /* in decimal; cheaper than text_addf */
__attribute__((format(printf, 2, 3))) void text_addf(struct text *text, const char *format, ...);
__attribute__((format(printf, 2, 0))) void text_addv(struct text *text, const char *format, va_list args);

/* Adds string as a JSON string with its quotes (RFC 8259); bytes that are not UTF-8 become U+FFFD.
 * NULL is added as null. */
void text_add_json(struct text *text, const char *string);
void text_add_json_bytes(struct text *text, const char *data, size_t len);

/* Gives the malloc'ed string (never NULL) to the caller and leaves text empty. */
char *text_take(struct text *text);

/* Makes room for len more bytes and returns where to write them; the caller then adds to text->len. */
char *text_reserve(struct text *text, size_t len);

void text_clear(struct text *text);
void text_fini(struct text *text);

/* A new string (malloc'ed) that printf would make of the arguments; never NULL. */
__attribute__((format(printf, 1, 2))) char *xasprintf(const char *format, ...);

/* Whether data is a token (RFC 9110, 5.6.2): at least one tchar and nothing else. */
bool text_is_token(const char *data, size_t len);

/* Whether the len bytes are valid UTF-8 (RFC 3629). */
bool text_is_utf8(const char *data, size_t len);

/* ASCII comparisons without regard to case. */
bool text_equal_nocase(const char *a, size_t a_len, const char *b);

/* The value of a hexadecimal digit, -1 if c is none. */
int text_hex_value(char c);

/* Decodes %XX into ret_data, which has room for len + 1 bytes and is NUL-terminated.  With plus, '+' is a
 * space (application/x-www-form-urlencoded).  -EINVAL for a broken escape or a NUL, encoded or not. */
__attribute__((warn_unused_result)) int text_percent_decode(
	const char *data, size_t len, bool plus, char *ret_data, size_t *ret_len);

/* Returns the one of names (ended by NULL) that word was most likely meant to be; NULL: none is similar. */
const char *text_nearest(const char *word, const char *const *names);

/* Reads a decimal number without sign, at most max.  -EINVAL if it is none, -ERANGE above max. */
__attribute__((warn_unused_result)) int text_parse_uint(
	const char *data, size_t len, uint64_t max, uint64_t *ret_value);
