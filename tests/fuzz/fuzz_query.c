/*
 * Fuzzes queries: their parameters are all that stands between the ampersands, in order, a look-up finds the
 * first of a name, and what is left without async says nothing of it.
 */
#include "calls/call/async_param.h"
#include "common/cleanup.h"
#include "common/text.h"
#include "http/message/query.h"
#include "http/message/request.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* More are walked over, but not looked up. */
#define NAMES_MAX 32

struct walk {
	char *names[NAMES_MAX]; /* decoded */
	char *values[NAMES_MAX];
	size_t count;
};

/* What a piece stands for; "" if it is broken. */
static char *
decode(const char *data, size_t len)
{
	char *decoded = xcalloc(len + 1, 1);
	size_t decoded_len = 0;

	if (text_percent_decode(data, len, true, decoded, &decoded_len) < 0)
		decoded[0] = '\0';
	else
		assert(strlen(decoded) == decoded_len && decoded_len <= len);
	return decoded;
}

static void
check_param(const struct http_query_param *param, const char *query)
{
	assert(param->raw >= query && param->raw_len > 0 && !memchr(param->raw, '&', param->raw_len));
	assert(param->name == param->raw && !memchr(param->name, '=', param->name_len));
	assert(param->value + param->value_len == param->raw + param->raw_len);
	assert(param->raw_len == param->name_len + param->value_len + (param->raw[param->name_len] == '='));
}

static void
walk(const char *query, struct walk *ret_walk)
{
	CLEANUP(text_fini) struct text joined = {0}, expected = {0};
	const char *at = query;
	struct http_query_param param;

	while (http_query_next(&at, &param)) {
		check_param(&param, query);
		text_addf(&joined, "&%.*s", (int)param.raw_len, param.raw);
		if (ret_walk->count == NAMES_MAX)
			continue;
		ret_walk->names[ret_walk->count] = decode(param.name, param.name_len);
		ret_walk->values[ret_walk->count++] = decode(param.value, param.value_len);
	}
	for (const char *c = query; *c; c++)
		if (*c != '&' || (c[1] != '&' && c[1] != '\0'))
			text_addf(&expected, "%s%c", c == query && *c != '&' ? "&" : "", *c);
	assert(joined.len == expected.len);
	assert(joined.len == 0 || memcmp(joined.data, expected.data, joined.len) == 0);
}

static void
check_look_ups(const char *query, const struct walk *walk)
{
	struct http_request request = {.query = query};

	for (size_t i = 0; i < walk->count; i++) {
		CLEANUP_FREE char *value = http_request_query(&request, walk->names[i]);
		size_t first = 0;
		while (strcmp(walk->names[first], walk->names[i]) != 0)
			first++;
		assert(value && strcmp(value, walk->values[first]) == 0);
	}
}

static void
check_async(const char *query)
{
	CLEANUP_FREE char *rest = NULL;
	CLEANUP_FREE char *again = NULL;
	struct http_request request = {0};

	enum async_param said = async_param_read(query, &rest);
	assert(said >= ASYNC_SILENT && said <= ASYNC_MALFORMED);
	request.query = rest;
	CLEANUP_FREE char *left = http_request_query(&request, "async");
	assert(!left && (!rest || strlen(rest) <= strlen(query)));
	enum async_param said_again = async_param_read(rest, &again);
	assert(said_again == ASYNC_SILENT);
	assert(!rest == !again && (!rest || strcmp(rest, again) == 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_FREE char *query = xstrndup((const char *)data, size);
	struct walk walked = {0};

	walk(query, &walked);
	check_look_ups(query, &walked);
	check_async(query);
	for (size_t i = 0; i < walked.count; i++) {
		free(walked.names[i]);
		free(walked.values[i]);
	}
	return 0;
}
