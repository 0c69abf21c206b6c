/* Formatted text: see text.h.  What nearly every format is made of is added here, in a fraction of the time
 * that printf takes; a format with anything else goes to printf whole. */
#include "common/text.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether directive comes next; then it is read. */
static bool
take(const char **at, const char *directive)
{
	size_t len = strlen(directive);

	if (strncmp(*at, directive, len) != 0)
		return false;
	*at += len;
	return true;
}

static bool
add_string(struct text *text, const char *string)
{
	if (string)
		text_add_string(text, string);
	return string != NULL;
}

/* At most len bytes; a negative len is for printf. */
static bool
add_start(struct text *text, int len, const char *string)
{
	if (!string || len < 0)
		return false;
	text_add(text, string, strnlen(string, (size_t)len));
	return true;
}

static bool
add_int(struct text *text, long long value)
{
	if (value < 0)
		text_add_char(text, '-');
	text_add_uint(text, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
	return true;
}

static bool
add_uint(struct text *text, uint64_t value)
{
	text_add_uint(text, value);
	return true;
}

/* Adds an argument as the directive says that stands behind a '%'.  Returns whether it is one of these. */
static bool
add_argument(struct text *text, const char **at, va_list *args)
{
	if (take(at, "s"))
		return add_string(text, va_arg(*args, const char *));
	if (take(at, "d"))
		return add_int(text, va_arg(*args, int));
	if (take(at, "u"))
		return add_uint(text, va_arg(*args, unsigned));
	if (take(at, "zu"))
		return add_uint(text, va_arg(*args, size_t));
	if (take(at, "llu"))
		return add_uint(text, va_arg(*args, unsigned long long));
	if (take(at, "lld"))
		return add_int(text, va_arg(*args, long long));
	if (take(at, ".*s")) {
		int len = va_arg(*args, int);
		return add_start(text, len, va_arg(*args, const char *));
	}
	return false;
}

/* Returns whether every directive was one of those above; else text has only a part. */
static bool
add_plain(struct text *text, const char *format, va_list *args)
{
	for (;;) {
		const char *percent = strchrnul(format, '%');
		text_add(text, format, (size_t)(percent - format));
		if (!*percent)
			return true;
		format = percent + 1;
		if (!add_argument(text, &format, args))
			return false;
	}
}

__attribute__((format(printf, 2, 0))) static void
add_by_printf(struct text *text, const char *format, va_list args)
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
text_addv(struct text *text, const char *format, va_list args)
{
	size_t before = text->len;
	va_list again;

	assert(format);
	va_copy(again, args);
	bool is_added = add_plain(text, format, &again);
	va_end(again);
	if (is_added)
		return;
	text->len = before;
	add_by_printf(text, format, args);
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
xasprintf(const char *format, ...)
{
	struct text text = {0};
	va_list args;

	va_start(args, format);
	text_addv(&text, format, args);
	va_end(args);
	return text_take(&text);
}
