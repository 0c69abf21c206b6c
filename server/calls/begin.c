/*
 * A call begins (contract, 2 and 3): the request's head says how it is answered and whether the route takes it at all;
 * then its input is made (call_input.c), its body is judged (call_body.c), and it is submitted (call_submit.c).
 */
#include "calls/begin.h"

#include "calls/call/answer.h"
#include "calls/call/async_param.h"
#include "calls/call/body.h"
#include "calls/call/call.h"
#include "calls/call/choose.h"
#include "calls/call/input.h"
#include "calls/call/submit.h"
#include "calls/collection/change.h"
#include "calls/collection/read.h"
#include "common/cleanup.h"
#include "common/log.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What the query parameter async says, and the query without it.  HEAD and OPTIONS ignore it. */
static enum async_param
read_async(const struct http_request *request, char **ret_rest)
{
	enum async_param said = async_param_read(request->query, ret_rest);

	return request->method == HTTP_GET || !call_is_safe(request) ? said : ASYNC_SILENT;
}

/* Decides how the call is answered.  The request says; where it is silent, the route does. */
static void
choose_style(struct call *call, enum async_param said)
{
	const struct preferences *preferences = &call->preferences;

	if (said == ASYNC_FALSE)
		return;
	call->asks_prefer = preferences->respond_async;
	call->defers = call->asks_prefer && preferences->has_wait && preferences->wait_ms == 0;
	struct style_request request = {
		.preferences = preferences,
		.is_async = said == ASYNC_TRUE,
		.is_safe = call_is_safe(call->request),
	};
	call->style = style_choose(
		call->route->styles->config.table, &request, call->route->config.style, &call->also);
	int64_t max_ms = call->route->styles->config.wait_max_ms;
	if (call->style && call->style->waits_bare && preferences->is_bare)
		call->wait_ms = max_ms;
	else if (call->style)
		call->wait_ms = preferences_wait_ms(preferences, max_ms);
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

/* Steps 2 to 5 of the contract's order, as far as they are the route's: the problem of a request with such a head and
 * a body of that length.  PROBLEM_NONE, or a problem and in *ret_detail a constant sentence. */
static enum problem
judge_head(const struct style_route *route, const struct http_request *request, enum async_param said,
	uint64_t body_len, const char **ret_detail)
{
	if (!style_route_may_call(route, request)) {
		*ret_detail = "This caller does not have permission to use this route.";
		return PROBLEM_FORBIDDEN;
	}
	if (said == ASYNC_MALFORMED) {
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

/* Adds what the client may do instead: Accept-Encoding (RFC 9110, 15.5.16) where the coding of the body was the
 * reason. */
static void
add_remedy(const struct style_route *route, const struct http_request *request, enum problem problem,
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

	enum async_param said = read_async(request, &query);
	enum problem problem = judge_head(route, request, said, http_request_announced_len(request), &detail);
	add_remedy(route, request, problem, &fields);
	if (problem == PROBLEM_NONE)
		http_request_limit_body(request, route->config.max_body_bytes);
	else
		answer_problem(request, style_route_dialect(route), problem, 0, detail, &fields);
	return problem != PROBLEM_NONE;
}

static void
on_gone(struct http_request *request)
{
	struct call *call = request->arg;
	struct operations *operations = call->route->styles->config.operations;
	struct op *op = call->watcher.link.next && !list_is_empty(&call->watcher.link) ? call->op : NULL;
	bool sync = !call->style;

	if (call->busy)
		call->request = NULL;
	else
		call_end(call);
	if (op && sync)
		operations_abandon(operations, op);
	answer_gone(request);
}

/* Steps 5 to 7 of the contract's order, as far as they need no thread; true if the call is still to be
 * submitted. */
static bool
check(struct call *call)
{
	int rc = http_request_take_body(call->request, call->route->styles->config.spool_fd, &call->body);
	if (rc < 0) {
		log_error("cannot store body", "error=%s", strerrorname_np(-rc));
		call_refuse(call, PROBLEM_STORAGE, 0, NULL, NULL);
		return false;
	}
	return call_prepare(call);
}

static void
on_judged(struct call *call)
{
	if (call->intake.problem != PROBLEM_NONE)
		call_refuse_body(call);
	else
		call_submit_or_join(call);
}

void
call_begin(struct http_request *request, void *arg)
{
	struct call *call = xcalloc(1, sizeof *call);

	call->request = request;
	call->route = style_route_ref(arg);
	timer_init(&call->timer, NULL);
	timer_init(&call->judge_timer, NULL);
	request->arg = call;
	request->on_gone = on_gone;
	enum async_param said = read_async(request, &call->query);
	const char *detail;
	enum problem problem =
		judge_head(call->route, request, said, http_request_body_len(request), &detail);
	if (problem != PROBLEM_NONE) {
		CLEANUP(fields_fini) struct fields fields = {0};
		add_remedy(call->route, request, problem, &fields);
		call_refuse(call, problem, 0, detail, &fields);
		return;
	}
	preferences_read(&call->preferences, request);
	choose_style(call, said);
	if (!check(call))
		return;
	if (call->route->config.collection && call_is_safe(request))
		call_read_begin(call);
	else if (call->route->config.collection)
		call_change_begin(call);
	else if (call_wants_intake(call) && call->defers)
		call_submit_unjudged(call);
	else if (call_wants_intake(call))
		call_judge(call, on_judged);
	else
		call_submit_or_join(call);
}

static void
on_late_end(struct op_watcher *watcher, struct op *op)
{
	struct call *call = container_of(watcher, struct call, watcher);

	(void)op;
	call->op = NULL;
	if (!call->busy)
		call_free(call);
}

static void
on_late_judged(struct call *call)
{
	if (call->intake.problem != PROBLEM_NONE)
		call_refuse_body(call);
	else
		call_late_pass(call);
}

void
call_late_begin(void *arg, struct op *op)
{
	const struct work_input *input = op_unjudged_input(op);
	struct style_route *route = arg;
	struct call *call = xcalloc(1, sizeof *call);

	call->is_late = true;
	call->op = op;
	call->route = style_route_ref(route);
	call->body = blob_ref(input->body);
	timer_init(&call->timer, NULL);
	timer_init(&call->judge_timer, NULL);
	op_watch(op, &call->watcher, on_late_end);
	if (route->config.collection)
		call_change_begin(call);
	else if (call_wants_intake(call))
		call_judge(call, on_late_judged);
	else
		call_late_pass(call);
}
