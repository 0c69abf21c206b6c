/* Text: a growing buffer, its formats, and checks of strings. */
#include "common/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *
text_reserve(struct text *text, size_t len)
{
	size_t wanted = text->len + len + 1;

	if (wanted < len)
		abort();
	if (wanted > text->size) {
		size_t size = text->size ? text->size : 64;
		while (size < wanted)
			size = size > SIZE_MAX / 2 ? wanted : size * 2;
		char *data = realloc(text->data, size);
		if (!data)
			abort();
		text->data = data;
		text->size = size;
	}
	return text->data + text->len;
}

void
text_add(struct text *text, const void *data, size_t len)
{
	char *to = text_reserve(text, len);

	if (len > 0)
		memcpy(to, data, len);
	text->len += len;
	text->data[text->len] = '\0';
}

void
text_add_string(struct text *text, const char *string)
{
	text_add(text, string, strlen(string));
}

void
text_add_char(struct text *text, char c)
{
	text_add(text, &c, 1);
}

void
text_add_uint(struct text *text, uint64_t value)
{
	char digits[20];
	size_t at = sizeof digits;

	do
		digits[--at] = (char)('0' + value % 10);
	while (value /= 10);
	text_add(text, digits + at, sizeof digits - at);
}

void
text_addv(struct text *text, const char *format, va_list args)
{
	va_list again;

	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (len < 0)
		abort();
	char *to = text_reserve(text, (size_t)len);
	vsnprintf(to, (size_t)len + 1, format, args);
	text->len += (size_t)len;
}

void
text_addf(struct text *text, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text_addv(text, format, args);
	va_end(args);
}

char *
text_take(struct text *text)
{
	text_add(text, "", 0);
	char *data = text->data;

	*text = (struct text){0};
	return data;
}

char *
xasprintf(const char *format, ...)
{
	struct text text = {0};
	va_list args;

	va_start(args, format);
	text_addv(&text, format, args);
	va_end(args);
	return text_take(&text);
}

void
text_clear(struct text *text)
{
	text->len = 0;
	if (text->data)
		text->data[0] = '\0';
}

void
text_fini(struct text *text)
{
	free(text->data);
	*text = (struct text){0};
}

bool
text_is_token(const char *data, size_t len)
{
	/* A bit for each tchar below 128. */
	static const uint64_t tchars[2] = {0x03ff6cfa00000000, 0x57ffffffc7fffffe};

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)data[i];

		if (c >= 0x80 || !(tchars[c >> 6] >> (c & 63) & 1))
			return false;
	}
	return len > 0;
}

/* The length of the UTF-8 sequence at data, 0 if there is none (RFC 3629, 4: no overlong forms, no
 * surrogates). */
static size_t
utf8_sequence(const unsigned char *data, size_t len)
{
	unsigned char c = data[0];
	size_t need = c < 0x80		       ? 1
		      : c >= 0xc2 && c <= 0xdf ? 2
		      : (c & 0xf0) == 0xe0     ? 3
		      : c >= 0xf0 && c <= 0xf4 ? 4
					       : 0;

	if (need == 0 || need > len)
		return 0;
	for (size_t i = 1; i < need; i++)
		if ((data[i] & 0xc0) != 0x80)
			return 0;
	if ((c == 0xe0 && data[1] < 0xa0) || (c == 0xed && data[1] > 0x9f) || (c == 0xf0 && data[1] < 0x90) ||
		(c == 0xf4 && data[1] > 0x8f))
		return 0;
	return need;
}

bool
text_is_utf8(const char *data, size_t len)
{
	const unsigned char *at = (const unsigned char *)data;

	for (size_t i = 0; i < len;) {
		size_t step = utf8_sequence(at + i, len - i);
		if (step == 0)
			return false;
		i += step;
	}
	return true;
}

static void
add_json_escape(struct text *text, unsigned char c)
{
	static const char short_forms[][2] = {
		{'"', '"'}, {'\\', '\\'}, {'\n', 'n'}, {'\r', 'r'}, {'\t', 't'}, {'\b', 'b'}, {'\f', 'f'}};

	for (size_t i = 0; i < sizeof short_forms / sizeof *short_forms; i++)
		if ((unsigned char)short_forms[i][0] == c) {
			text_add_char(text, '\\');
			text_add_char(text, short_forms[i][1]);
			return;
		}
	text_addf(text, "\\u%04x", c);
}

void
text_add_json_bytes(struct text *text, const char *data, size_t len)
{
	const unsigned char *at = (const unsigned char *)data;
	size_t plain = 0; /* where the run that needs no change began */

	text_add_char(text, '"');
	for (size_t i = 0; i < len;) {
		size_t step = utf8_sequence(at + i, len - i);
		if (step > 0 && at[i] >= 0x20 && at[i] != '"' && at[i] != '\\') {
			i += step;
			continue;
		}
		text_add(text, data + plain, i - plain);
		if (step == 0)
			text_add_string(text, "\xef\xbf\xbd");
		else
			add_json_escape(text, at[i]);
		plain = ++i;
	}
	text_add(text, data + plain, len - plain);
	text_add_char(text, '"');
}

void
text_add_json(struct text *text, const char *string)
{
	if (string)
		text_add_json_bytes(text, string, strlen(string));
	else
		text_add_string(text, "null");
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool
text_equal_nocase(const char *a, size_t a_len, const char *b)
{
	for (size_t i = 0; i < a_len; i++)
		if (b[i] == '\0' || lower(a[i]) != lower(b[i]))
			return false;
	return b[a_len] == '\0';
}

int
text_hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int
text_percent_decode(const char *data, size_t len, bool plus, char *ret_data, size_t *ret_len)
{
	size_t out = 0;

	for (size_t i = 0; i < len; i++) {
		char c = data[i];
		if (c == '%') {
			int high = i + 2 < len ? text_hex_value(data[i + 1]) : -1;
			int low = i + 2 < len ? text_hex_value(data[i + 2]) : -1;
			if (high < 0 || low < 0)
				return -EINVAL;
			c = (char)(high << 4 | low);
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		if (c == '\0')
			return -EINVAL;
		ret_data[out++] = c;
	}
	ret_data[out] = '\0';
	*ret_len = out;
	return 0;
}

/* The edit distance of two short words (Levenshtein), where a case change costs nothing; words beyond 63
 * bytes are far. */
static unsigned
distance(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);
	unsigned row[64];

	if (a_len > 63 || b_len > 63)
		return 1000;
	for (size_t j = 0; j <= b_len; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned diagonal = row[0];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			unsigned best = diagonal + (lower(a[i - 1]) != lower(b[j - 1]));
			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[b_len];
}

const char *
text_nearest(const char *word, const char *const *names)
{
	const char *best = NULL;
	unsigned least = (unsigned)strlen(word) / 3 + 2; /* farther is no likeness */

	for (; *names; names++) {
		unsigned d = distance(word, *names);
		if (d < least) {
			least = d;
			best = *names;
		}
	}
	return best;
}

int
text_parse_uint(const char *data, size_t len, uint64_t max, uint64_t *ret_value)
{
	uint64_t value = 0;
	bool too_large = false;

	if (len == 0)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (data[i] < '0' || data[i] > '9')
			return -EINVAL;
		unsigned digit = (unsigned)(data[i] - '0');
		if (value > (max - digit) / 10 || digit > max)
			too_large = true;
		else
			value = value * 10 + digit;
	}
	if (too_large)
		return -ERANGE;
	*ret_value = value;
	return 0;
}
