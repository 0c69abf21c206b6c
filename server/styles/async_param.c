/* The query parameter async: see async_param.h. */
#include "styles/async_param.h"

#include "common/text.h"
#include "http/query.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Decodes an encoded name or value into word; false if it is longer than any word we look for. */
static bool
decode_word(const char *data, size_t len, char word[static 32])
{
	size_t decoded_len;

	return len < 32 && text_percent_decode(data, len, true, word, &decoded_len) == 0;
}

static bool
is_async(const struct http_query_param *param)
{
	char name[32];

	return decode_word(param->name, param->name_len, name) && strcmp(name, "async") == 0;
}

static enum async_param
read_async_value(const struct http_query_param *param)
{
	char value[32];

	if (!decode_word(param->value, param->value_len, value))
		return ASYNC_MALFORMED;
	if (strcasecmp(value, "true") == 0 || strcmp(value, "1") == 0)
		return ASYNC_TRUE;
	if (strcasecmp(value, "false") == 0 || strcmp(value, "0") == 0)
		return ASYNC_FALSE;
	return ASYNC_MALFORMED;
}

enum async_param
async_param_read(const char *query, char **ret_rest)
{
	const char *at = query;
	enum async_param said = ASYNC_SILENT;
	struct text rest = {0};
	struct http_query_param param;
	bool found = false;

	while (http_query_next(&at, &param)) {
		if (!is_async(&param)) {
			if (rest.len > 0)
				text_add_char(&rest, '&');
			text_add(&rest, param.raw, param.raw_len);
			continue;
		}
		enum async_param value = read_async_value(&param);
		found = true;
		said = said == ASYNC_SILENT || said == value ? value : ASYNC_MALFORMED;
	}
	/* Where async was all there was, there is no query at all. */
	*ret_rest = query && (rest.len > 0 || !found) ? text_take(&rest) : NULL;
	text_fini(&rest);
	return said;
}
