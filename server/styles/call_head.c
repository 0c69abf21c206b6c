/* What the head of a request says of its call: how it is to be answered, and whether the route takes it at
 * all. */
#include "styles/async_param.h"
#include "styles/call.h"

#include "common/cleanup.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool
call_is_safe(const struct http_request *request)
{
	return request->method == HTTP_GET || request->method == HTTP_HEAD || request->method == HTTP_OPTIONS;
}

void
call_choose_style(struct call *call, enum async_param said)
{
	const struct preferences *preferences = &call->preferences;
	bool safe = call_is_safe(call->request);

	if (safe)
		said = ASYNC_SILENT;
	if (said == ASYNC_FALSE)
		return;
	call->asks_prefer = preferences->respond_async;
	call->defers = call->asks_prefer && preferences->has_wait && preferences->wait_ms == 0;
	struct style_request request = {
		.preferences = preferences,
		.is_async = said == ASYNC_TRUE,
		.is_safe = safe,
	};
	call->style = style_choose(style_table, &request, call->route->config.style, &call->also);
	if (call->style && preferences->has_wait && preferences->wait_ms > 0) {
		int64_t most_ms = call->route->styles->config.wait_max_ms;
		call->wait_ms = preferences->wait_ms < most_ms ? preferences->wait_ms : most_ms;
	}
}

/* Whether a media type is of a range such as "image/png", "image" and any subtype. */
static bool
is_of_range(const char *type, size_t len, const char *range)
{
	const char *slash = memchr(type, '/', len);
	size_t range_len = strlen(range);

	if (range_len < 2 || strcmp(range + range_len - 2, "/*") != 0)
		return text_equal_nocase(type, len, range);
	if (!slash || slash + 1 == type + len)
		return false;
	size_t main_len = (size_t)(slash - type);
	return strcmp(range, "*/*") == 0 ||
	       (main_len == range_len - 2 && strncasecmp(type, range, main_len) == 0);
}

static bool
is_type_allowed(const struct style_route *route, const struct http_request *request)
{
	char **types = route->config.request_types;
	const char *type = http_request_field(request, "Content-Type");

	if (!types)
		return true;
	size_t len = type ? strcspn(type, "; \t") : 0;
	for (; *types; types++)
		if (type && is_of_range(type, len, *types))
			return true;
	return false;
}

/* Whether the body has a coding although the route reads it as JSON. */
static bool
is_coded(const struct style_route *route, const struct http_request *request)
{
	const char *coding = http_request_field(request, "Content-Encoding");

	return (route->config.collection || route->config.schema) && coding && *coding &&
	       strcasecmp(coding, "identity") != 0;
}

enum problem
call_judge_head(const struct style_route *route, const struct http_request *request, enum async_param said,
	uint64_t body_len, const char **ret_detail)
{
	if (!style_route_may_call(route, request)) {
		*ret_detail = "This caller does not have permission to use this route.";
		return PROBLEM_FORBIDDEN;
	}
	if (said == ASYNC_MALFORMED && !call_is_safe(request)) {
		*ret_detail = "The query parameter async is not true, false, 1 or 0.";
		return PROBLEM_INVALID_PARAMETER;
	}
	if (body_len > route->config.max_body_bytes) {
		*ret_detail = "The body is larger than this route allows.";
		return PROBLEM_CONTENT_TOO_LARGE;
	}
	if (body_len > 0 && !is_type_allowed(route, request)) {
		*ret_detail = "This route does not accept bodies of this media type.";
		return PROBLEM_UNSUPPORTED_MEDIA_TYPE;
	}
	if (body_len > 0 && is_coded(route, request)) {
		*ret_detail = "This route takes JSON without a Content-Encoding.";
		return PROBLEM_UNSUPPORTED_MEDIA_TYPE;
	}
	return PROBLEM_NONE;
}

void
call_add_remedy(const struct style_route *route, const struct http_request *request, enum problem problem,
	struct fields *fields)
{
	if (problem == PROBLEM_UNSUPPORTED_MEDIA_TYPE && is_coded(route, request))
		fields_put(fields, "Accept-Encoding", "identity");
}

bool
call_refuse_early(struct http_request *request, void *arg)
{
	const struct style_route *route = arg;
	CLEANUP(fields_fini) struct fields fields = {0};
	CLEANUP_FREE char *query = NULL;
	const char *detail;

	enum async_param said = async_param_read(request->query, &query);
	enum problem problem =
		call_judge_head(route, request, said, http_request_announced_len(request), &detail);
	call_add_remedy(route, request, problem, &fields);
	if (problem == PROBLEM_NONE)
		http_request_limit_body(request, route->config.max_body_bytes);
	else
		answer_problem(request, style_route_dialect(route), problem, 0, detail, &fields);
	return problem != PROBLEM_NONE;
}
