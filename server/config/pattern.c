/* Path patterns of routes: checks and walks them. */
#include "config/pattern.h"

#include <stdlib.h>
#include <string.h>

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool
pattern_is_name(const char *data, size_t len)
{
	if (len == 0 || is_digit(*data))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_letter(data[i]) && !is_digit(data[i]) && data[i] != '_')
			return false;
	return true;
}

/* pchar of RFC 3986 without percent-encoding. */
static bool
is_path_char(char c)
{
	return is_letter(c) || is_digit(c) || (c != '\0' && strchr("-._~!$&'()*+,;=:@", c));
}

static bool
equals(const char *data, size_t len, const char *string)
{
	return strlen(string) == len && memcmp(data, string, len) == 0;
}

static void
classify(struct pattern_segment *segment)
{
	const char *text = segment->text;
	size_t len = segment->len;

	segment->kind = PATTERN_LITERAL;
	if (len < 3 || text[0] != '{' || text[len - 1] != '}')
		return;
	text++;
	len -= 2;
	if (len > 3 && memcmp(text + len - 3, "...", 3) == 0 && pattern_is_name(text, len - 3)) {
		segment->kind = PATTERN_REST;
		len -= 3;
	} else if (pattern_is_name(text, len)) {
		segment->kind = PATTERN_NAME;
	} else {
		return;
	}
	segment->text = text;
	segment->len = len;
}

bool
pattern_next(const char *pattern, struct pattern_segment *segment)
{
	const char *start = segment->text ? segment->next : pattern + 1;

	if (!start)
		return false;
	segment->text = start;
	segment->len = strcspn(start, "/");
	segment->next = start[segment->len] == '/' ? start + segment->len + 1 : NULL;
	classify(segment);
	return true;
}

static char *
literal_mistake(const struct pattern_segment *segment)
{
	const char *text = segment->text;

	if (segment->len == 0)
		return segment->next ? xstrdup("has an empty segment") : NULL;
	if (equals(text, segment->len, ".") || equals(text, segment->len, ".."))
		return xstrdup("has a dot segment");
	for (size_t i = 0; i < segment->len; i++) {
		if (text[i] == '{' || text[i] == '}')
			return xasprintf(
				"has a brace outside a parameter, in \"%.*s\"", (int)segment->len, text);
		if (text[i] == '?' || text[i] == '#')
			return xstrdup("has a query or a fragment");
		if (text[i] == '%')
			return xstrdup("has a percent sign: write patterns without percent-encoding");
		if (!is_path_char(text[i]))
			return xstrdup("has a character that is not allowed in a path");
	}
	return NULL;
}

static bool
is_repeated(const char *pattern, const struct pattern_segment *segment)
{
	for (struct pattern_segment earlier = {0}; pattern_next(pattern, &earlier);) {
		if (earlier.text >= segment->text)
			break;
		if (earlier.kind != PATTERN_LITERAL && earlier.len == segment->len &&
			memcmp(earlier.text, segment->text, segment->len) == 0)
			return true;
	}
	return false;
}

static char *
segment_mistake(const char *pattern, const struct pattern_segment *segment)
{
	if (segment->kind == PATTERN_LITERAL)
		return literal_mistake(segment);
	if (segment->kind == PATTERN_REST && segment->next)
		return xasprintf("has {%.*s...} before its end", (int)segment->len, segment->text);
	if (is_repeated(pattern, segment))
		return xasprintf("has {%.*s} twice", (int)segment->len, segment->text);
	return NULL;
}

char *
pattern_mistake(const char *pattern)
{
	char *mistake = NULL;

	if (*pattern != '/')
		return xstrdup("does not begin with a slash");
	if (strlen(pattern) > PATTERN_MAX)
		return xasprintf("is longer than %d bytes", PATTERN_MAX);
	for (struct pattern_segment segment = {0}; pattern_next(pattern, &segment);) {
		mistake = segment_mistake(pattern, &segment);
		if (mistake)
			break;
	}
	if (!mistake && pattern_count_names(pattern) > PATTERN_NAMES_MAX)
		return xasprintf("has more than %d parameters", PATTERN_NAMES_MAX);
	return mistake;
}

size_t
pattern_count_names(const char *pattern)
{
	size_t count = 0;

	for (struct pattern_segment segment = {0}; pattern_next(pattern, &segment);)
		count += segment.kind != PATTERN_LITERAL;
	return count;
}

char **
pattern_names(const char *pattern)
{
	char **names = xcalloc(pattern_count_names(pattern) + 1, sizeof *names);
	size_t count = 0;

	for (struct pattern_segment segment = {0}; pattern_next(pattern, &segment);)
		if (segment.kind != PATTERN_LITERAL)
			names[count++] = xstrndup(segment.text, segment.len);
	return names;
}

void
pattern_add_shape(struct text *text, const char *pattern)
{
	for (struct pattern_segment segment = {0}; pattern_next(pattern, &segment);) {
		text_add_char(text, '/');
		if (segment.kind == PATTERN_LITERAL)
			text_add(text, segment.text, segment.len);
		else
			text_add_string(text, segment.kind == PATTERN_NAME ? "{}" : "{...}");
	}
}
