/* The query parameter async: reads it, and cuts it out of the query. */
#include "calls/call/async_param.h"

#include "common/text.h"
#include "http/message/query.h"

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

/* The parameter goes together with one '&': the one behind it, or the one before it at the query's end. */
static void
cut_separator(const char **from, struct text *rest)
{
	if (**from == '&')
		(*from)++;
	else if (rest->len > 0)
		rest->data[--rest->len] = '\0';
}

enum async_param
async_param_read(const char *query, char **ret_rest)
{
	const char *at = query, *from = query;
	enum async_param said = ASYNC_SILENT;
	struct text rest = {0};
	struct http_query_param param;
	bool found = false;

	while (http_query_next(&at, &param)) {
		if (!is_async(&param))
			continue;
		text_add(&rest, from, (size_t)(param.raw - from));
		from = param.raw + param.raw_len;
		cut_separator(&from, &rest);
		enum async_param value = read_async_value(&param);
		found = true;
		said = said == ASYNC_SILENT || said == value ? value : ASYNC_MALFORMED;
	}
	text_add_string(&rest, from ? from : "");
	/* Where async was all there was, there is no query at all. */
	*ret_rest = query && (rest.len > 0 || !found) ? text_take(&rest) : NULL;
	text_fini(&rest);
	return said;
}
