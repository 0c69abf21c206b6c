/* Texts of others made fit for a terminal. */
#include "deferctl/printable.h"

#include <string.h>

/* How many bytes at data are a control character or a mark of direction; 0: none. */
static size_t
count_unfit(const unsigned char *data, size_t len)
{
	if (data[0] < 0x20 || data[0] == 0x7f)
		return 1;
	if (len >= 2 && data[0] == 0xc2 && data[1] < 0xa0)
		return 2;
	if (len < 3 || data[0] != 0xe2)
		return 0;
	bool is_mark = data[1] == 0x80 &&
		       (data[2] == 0x8e || data[2] == 0x8f || (data[2] >= 0xa8 && data[2] <= 0xae));
	bool is_isolate = data[1] == 0x81 && data[2] >= 0xa6 && data[2] <= 0xa9;
	return is_mark || is_isolate ? 3 : 0;
}

static size_t
count_character(const unsigned char *data, size_t len)
{
	size_t count = data[0] < 0x80 ? 1 : data[0] < 0xe0 ? 2 : data[0] < 0xf0 ? 3 : 4;

	return count <= len && text_is_utf8((const char *)data, count) ? count : 0;
}

void
printable_add(struct text *text, const char *data, size_t len, size_t max)
{
	const unsigned char *at = (const unsigned char *)data, *end = at + len;
	size_t start = text->len;

	while (at < end) {
		size_t count = count_character(at, (size_t)(end - at));
		size_t unfit = count == 0 ? 1 : count_unfit(at, (size_t)(end - at));
		if (text->len - start + (unfit > 0 ? 4 * unfit : count) > max)
			return;
		for (size_t i = 0; i < unfit; i++)
			text_addf(text, "\\x%02x", at[i]);
		if (unfit == 0)
			text_add(text, at, count);
		at += unfit > 0 ? unfit : count;
	}
}

char *
printable_dup(const char *string, size_t max)
{
	struct text text = {0};

	printable_add(&text, string ? string : "-", string ? strlen(string) : 1, max);
	return text_take(&text);
}
