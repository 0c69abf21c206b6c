/* The arguments of a program. */
#include "work/program/arguments.h"

#include "common/cleanup.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static bool
is_name_char(char c, bool is_first)
{
	return c == '_' || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (!is_first && c >= '0' && c <= '9');
}

const char *
arguments_find_name(const char *text, size_t *ret_len)
{
	while ((text = strchr(text, '{'))) {
		size_t len = 0;
		while (is_name_char(text[1 + len], len == 0))
			len++;
		if (len > 0 && text[1 + len] == '}') {
			*ret_len = len;
			return text;
		}
		text++;
	}
	return NULL;
}

/* Adds argument with its names replaced to ret_text.  -ENOENT if one has no value: then *ret_missing is the
 * caller's. */
static int
fill_argument(const char *argument, const struct work_input *input, struct text *ret_text, char **ret_missing)
{
	const char *brace;
	size_t len;

	while ((brace = arguments_find_name(argument, &len))) {
		CLEANUP_FREE char *name = xstrndup(brace + 1, len);
		const char *value = work_input_param(input, name);
		if (!value) {
			*ret_missing = xstrdup(name);
			return -ENOENT;
		}
		text_add(ret_text, argument, (size_t)(brace - argument));
		text_add_string(ret_text, value);
		argument = brace + len + 2;
	}
	text_add_string(ret_text, argument);
	return 0;
}

int
arguments_fill(const struct string_list *templates, const struct work_input *input, struct string_list *list,
	char **ret_missing)
{
	string_list_take(list, xstrdup(templates->items[0]));
	for (size_t i = 1; i < templates->count; i++) {
		struct text argument = {0};
		int rc = fill_argument(templates->items[i], input, &argument, ret_missing);
		string_list_take(list, text_take(&argument));
		if (rc < 0)
			return rc;
	}
	return 0;
}
