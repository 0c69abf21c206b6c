/* The parameters of a query: a walk over them, and the value of one by its name. */
#include "http/query.h"

#include "common/cleanup.h"
#include "common/text.h"

#include <string.h>

bool
http_query_next(const char **at, struct http_query_param *ret_param)
{
	while (*at && **at == '&')
		(*at)++;
	if (!*at || !**at)
		return false;
	const char *raw = *at;
	size_t raw_len = strcspn(raw, "&");
	const char *equals = memchr(raw, '=', raw_len);
	size_t name_len = equals ? (size_t)(equals - raw) : raw_len;
	const char *value = equals ? equals + 1 : raw + raw_len;

	*ret_param = (struct http_query_param){
		.raw = raw,
		.raw_len = raw_len,
		.name = raw,
		.name_len = name_len,
		.value = value,
		.value_len = (size_t)(raw + raw_len - value),
	};
	*at = raw + raw_len;
	return true;
}

char *
http_query_decode(const char *data, size_t len, bool plus)
{
	char *decoded = xcalloc(len + 1, 1);
	size_t decoded_len;

	if (text_percent_decode(data, len, plus, decoded, &decoded_len) < 0)
		decoded[0] = '\0';
	return decoded;
}

char *
http_query_find(const char *query, const char *name)
{
	const char *at = query;
	struct http_query_param param;

	while (http_query_next(&at, &param)) {
		CLEANUP_FREE char *decoded = http_query_decode(param.name, param.name_len, true);
		if (strcmp(decoded, name) == 0)
			return http_query_decode(param.value, param.value_len, true);
	}
	return NULL;
}
