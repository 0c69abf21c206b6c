/*
 * A call of a route, from the request to its answer (contract, 2 and 3): how it is to be answered is read from the request, its body and key
 * are checked, it is submitted, and the answer waits for what it has to: the end (synchronous calls), the acceptance (asynchronous
 * ones), or the first of the end and the client's patience (Prefer: wait).
 */
#include "styles/call.h"
#include "styles/collection.h"

#include "common/cleanup.h"
#include "common/log.h"
#include "common/trace.h"
#include "http/reply.h"
#include "styles/async_param.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void
call_free(struct call *call)
{
	op_unwatch(&call->watcher);
	timer_stop(&call->timer);
	timer_stop(&call->judge_timer);
	call_abandon_judging(call);
	if (call->acceptor.link.next)
		list_remove(&call->acceptor.link);
	work_input_free(call->input);
	op_key_free(call->key);
	store_change_free(call->change);
	work_result_fini(&call->verdict);
	intake_fini(&call->intake);
	if (call->page)
		collection_page_fini(call->page);
	free(call->page);
	free(call->url);
	free(call->read.document);
	free(call->read.representation);
	blob_unref(call->body);
	style_route_unref(call->route);
	free(call->query);
	free(call);
}

struct http_request *
call_end(struct call *call)
{
	struct http_request *request = call->request;

	request->on_gone = NULL;
	request->arg = NULL;
	call_free(call);
	return request;
}

bool
call_is_gone(struct call *call)
{
	call->busy = false;
	if (call->request || (call->is_late && call->op))
		return false;
	call_free(call);
	return true;
}

void
call_refuse(struct call *call, enum problem problem, int status, const char *detail, struct fields *fields)
{
	enum problem_dialect dialect = style_route_dialect(call->route);
	struct problem_report report = {
		.problem = problem, .status = status, .detail = detail, .dialect = dialect};

	if (call->is_late)
		call_late_fail(call, &report);
	else
		answer_problem(call_end(call), dialect, problem, status, detail, fields);
}

void
call_refuse_body(struct call *call)
{
	struct problem_report report = {
		.problem = call->intake.problem,
		.detail = call->intake.detail,
		.errors = call->intake.errors,
		.dialect = style_route_dialect(call->route),
	};
	struct intake intake = call->intake;

	if (call->is_late) {
		call_late_fail(call, &report);
		return;
	}

	/* The call goes before its answer, which still needs the verdict. */
	call->intake = (struct intake){0};
	reply_problem(call_end(call), &report, NULL);
	intake_fini(&intake);
}

static bool
is_safe(const struct http_request *request)
{
	return request->method == HTTP_GET || request->method == HTTP_HEAD;
}

/* Decides how the call is answered.  The request says; where it is silent, the route does. */
static void
choose_style(struct call *call, enum async_param said)
{
	const struct preferences *preferences = &call->preferences;
	bool safe = is_safe(call->request);

	if (safe)
		said = ASYNC_SILENT;
	if (said == ASYNC_FALSE)
		return;
	call->asks_prefer = preferences->respond_async;
	call->defers = call->asks_prefer && preferences->has_wait && preferences->wait_ms == 0;
	if (said == ASYNC_TRUE) {
		call->style = &style_location;
		call->asks_location_too = call->asks_prefer;
	} else if (call->asks_prefer) {
		call->style = &style_prefer;
	} else if (!safe) {
		call->style = call->route->config.style;
	}
	if (!preferences->has_wait || preferences->wait_ms == 0)
		return;
	/* A lone wait bounds a synchronous call, too: then it ends in a 202. */
	if (!call->style && !safe)
		call->style = &style_prefer;
	if (call->style) {
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

/* Adds the path's parameters, and those of the query that the route has asked for.  The missing one's name, or NULL. */
static const char *
add_params(struct call *call)
{
	const struct http_request *request = call->request;

	for (size_t i = 0; i < request->match.param_count; i++) {
		const char *name = request->match.params[i].name;
		CLEANUP_FREE char *value = http_request_param(request, name);
		work_input_add_param(call->input, name, value);
	}
	for (char **name = call->route->config.query; name && *name; name++) {
		CLEANUP_FREE char *value = http_request_query(request, *name);
		if (!value)
			return *name;
		work_input_add_param(call->input, *name, value);
	}
	return NULL;
}

/* What is left of an Authorization is its scheme, which programs are told as AUTH_TYPE: a password has no place in the store. */
static void
drop_credentials(struct fields *fields)
{
	CLEANUP_FREE char *authorization = fields_dup_value(fields, "Authorization");

	fields_remove(fields, "Proxy-Authorization");
	if (!authorization)
		return;
	fields_remove(fields, "Authorization");
	authorization[strcspn(authorization, " \t")] = '\0';
	fields_put(fields, "Authorization", authorization);
}

/* A call is part of its client's trace, or begins one: programs and upstreams are told. */
static void
set_trace(struct fields *fields)
{
	CLEANUP_FREE char *given = fields_dup_value(fields, "traceparent");
	char made[TRACEPARENT_SIZE];

	if (given && trace_is_valid(given))
		return;
	trace_make(made);
	fields_remove(fields, "traceparent");
	fields_remove(fields, "tracestate");
	fields_put(fields, "traceparent", made);
}

static void
make_input(struct call *call)
{
	const struct http_request *request = call->request;
	struct work_input *input = work_input_new();

	input->method = xstrdup(http_method_name(request->method));
	input->path = xstrndup(request->path, request->path_len);
	input->query = xstrdup(call->query);
	input->route = xstrdup(call->route->config.pattern);
	http_request_copy_fields(request, &input->fields);
	if (!call->route->config.keeps_credentials)
		drop_credentials(&input->fields);
	/* Nobody is told of changes that nobody carries out. */
	if (!call->route->config.collection || call->route->config.has_on_change)
		set_trace(&input->fields);
	input->principal = xstrdup(request->principal);
	input->remote_address = xstrdup(http_request_remote_address(request));
	input->scheme = xstrdup(http_request_scheme(request));
	input->authority = xstrdup(http_request_authority(request));
	input->base = http_request_base(request);
	call->input = input;
}

static void
put_preference_applied(const struct call *call, struct fields *fields, bool accepted)
{
	const struct preferences *preferences = &call->preferences;
	bool async = accepted && call->asks_prefer;
	bool waits = call->wait_ms > 0 || (async && preferences->has_wait);

	if (async || waits)
		fields_putf(fields, "Preference-Applied", "%s%s%s", async ? "respond-async" : "",
			async && waits ? ", " : "", waits ? preferences->wait : "");
}

static void
answer_accepted(struct call *call)
{
	CLEANUP(fields_fini) struct fields fields = {0};
	const struct style *style = call->style;
	struct op *op = call->op;

	put_preference_applied(call, &fields, true);
	if (call->asks_location_too)
		prefer_put_location(&fields, op);
	style->reply_accepted(call_end(call), op, &fields);
}

static void
answer_end(struct call *call)
{
	CLEANUP(fields_fini) struct fields fields = {0};
	struct op *op = call->op;

	put_preference_applied(call, &fields, false);
	answer_final(call_end(call), op, &fields, false);
}

/* The server lets go of an operation that has not ended: it goes down. */
static void
answer_draining(struct call *call)
{
	if (call->style)
		answer_accepted(call);
	else
		call_refuse(call, PROBLEM_DRAINING, 0, NULL, NULL);
}

static void
on_end(struct op_watcher *watcher, struct op *op)
{
	struct call *call = container_of(watcher, struct call, watcher);

	if (op_has_ended(op))
		answer_end(call);
	else
		answer_draining(call);
}

static void
on_patience_over(struct timer *timer)
{
	answer_accepted(container_of(timer, struct call, timer));
}

/* op may be told to the client. */
void
call_await(struct call *call, struct op *op)
{
	bool ended = op_has_ended(op);

	call->op = op;
	if (call->style && call->wait_ms == 0) {
		answer_accepted(call);
		return;
	}
	if (ended) {
		answer_end(call);
		return;
	}
	op_watch(op, &call->watcher, on_end);
	if (call->style)
		timer_start(call->route->styles->config.timers, &call->timer, call->wait_ms);
}

static void
on_accepted(struct op_acceptor *acceptor, struct op *op, int error)
{
	struct call *call = container_of(acceptor, struct call, acceptor);

	if (error && call->route->config.collection)
		call_change_refused(call, error);
	else if (error)
		call_refuse(call, PROBLEM_STORAGE, 0, NULL, NULL);
	else
		call_await(call, op);
}

static void
on_gone(struct http_request *request)
{
	struct call *call = request->arg;
	struct operations *operations = call->route->styles->config.operations;
	struct op *op = call->watcher.link.next && !list_is_empty(&call->watcher.link) ? call->op : NULL;
	bool sync = !call->style;

	if (call->busy) {
		request->on_gone = NULL;
		request->arg = NULL;
		call->request = NULL;
	} else {
		request = call_end(call);
	}
	if (op && sync)
		operations_abandon(operations, op);
	/* Nobody hears it. */
	reply_bytes(request, 503, NULL, NULL, 0);
}

/* Overload: 503 for the whole server, 429 for the route; style prefer knows but the former. */
static void
refuse_load(struct call *call)
{
	static const struct {
		enum problem problem;
		const char *detail;
	} reasons[] = {
		[OP_REFUSED_CAPACITY] = {PROBLEM_CAPACITY,
			"As many operations are outstanding as the server takes."},
		[OP_REFUSED_QUEUE] = {PROBLEM_QUEUE_FULL,
			"As many calls wait for this route as its queue holds."},
		[OP_REFUSED_DRAINING] = {PROBLEM_DRAINING, "The server is shutting down."},
		[OP_REFUSED_STORAGE] = {PROBLEM_STORAGE, "Operations cannot be stored at the moment."},
	};
	CLEANUP(fields_fini) struct fields fields = {0};
	int status = call->style == &style_prefer ? 503 : 0;

	fields_putf(&fields, "Retry-After", "%u", op_route_retry_after(call->route->config.op_route));
	call_refuse(call, reasons[call->refusal].problem, status, reasons[call->refusal].detail, &fields);
}

void
call_refuse_load(struct call *call, enum op_refusal refusal)
{
	call->refusal = refusal;
	if (call->change && (refusal == OP_REFUSED_CAPACITY || refusal == OP_REFUSED_QUEUE))
		call_judge_change(call, refuse_load);
	else
		refuse_load(call);
}

static void
submit(struct call *call)
{
	struct op_submission submission = {
		.route = call->route->config.op_route,
		.input = call->input,
		.style = call->style ? call->style->name : "",
		.sync = !call->style,
		.key = call->key,
		.change = call->change,
		.unjudged = call->unjudged,
		.verdict = call->verdict.status ? &call->verdict : NULL,
	};
	struct op *op;

	if (!submission.sync || call->key || call->change) {
		call->acceptor.fn = on_accepted;
		submission.acceptor = &call->acceptor;
	}
	enum op_refusal refusal = operations_submit(call->route->styles->config.operations, &submission, &op);
	if (refusal != OP_TAKEN) {
		call_refuse_load(call, refusal);
		return;
	}
	call->input = NULL;
	call->key = NULL;
	call->change = NULL;
	if (!submission.acceptor)
		call_await(call, op);
}

static void
refuse_reused(struct call *call)
{
	call_refuse(call, PROBLEM_KEY_REUSED, 0, "The key was used with another method, path, query or body.",
		NULL);
}

/* The same request came before: the first operation answers, whatever has become of the resource since. */
static void
join(struct call *call, struct op *op)
{
	if (op->state == OP_EXPIRED) {
		const struct style *style = call->style ? call->style : &style_location;
		monitor_reply_missing(call_end(call), style, op);
	} else if (op->state == OP_ACCEPTING) {
		op_await(op, &call->acceptor, on_accepted);
	} else {
		call_await(call, op);
	}
}

/* The operation that had its key; NULL if there is none. */
static struct op *
find_first(struct call *call, bool *ret_same)
{
	*ret_same = false;
	return call->key ? op_key_find(call->route->styles->config.operations, call->key, ret_same) : NULL;
}

bool
call_join_same(struct call *call)
{
	bool same;
	struct op *op = find_first(call, &same);

	if (same)
		join(call, op);
	return same;
}

void
call_submit_or_join(struct call *call)
{
	bool same;
	struct op *op = find_first(call, &same);

	if (!op)
		submit(call);
	else if (same)
		join(call, op);
	else if (call->change)
		call_judge_change(call, refuse_reused);
	else
		refuse_reused(call);
}

void
call_submit_unjudged(struct call *call)
{
	call->unjudged = true;
	if (!call->input->body)
		call->input->body = blob_ref(call->body);
	call_submit_or_join(call);
}

const struct work_input *
call_input(const struct call *call)
{
	return call->is_late ? op_unjudged_input(call->op) : call->input;
}

bool
call_prepare(struct call *call)
{
	work_input_free(call->input);
	op_key_free(call->key);
	call->key = NULL;
	make_input(call);
	const char *missing = add_params(call);
	if (missing) {
		CLEANUP_FREE char *detail = xasprintf("The query parameter %s is missing.", missing);
		call_refuse(call, PROBLEM_INVALID_PARAMETER, 0, detail, NULL);
		return false;
	}
	if (!call->route->config.collection)
		call->input->body = blob_ref(call->body);
	return call_read_key(call);
}

/* Steps 2 to 5 of the contract's order, as far as they are the route's: what is wrong with the head of a request with a body of that
 * length.  PROBLEM_NONE, or a problem and in *ret_detail a constant sentence. */
static enum problem
judge_head(const struct style_route *route, const struct http_request *request, enum async_param said,
	uint64_t body_len, const char **ret_detail)
{
	if (!style_route_may_call(route, request)) {
		*ret_detail = "This caller may not use this route.";
		return PROBLEM_FORBIDDEN;
	}
	if (said == ASYNC_MALFORMED && !is_safe(request)) {
		*ret_detail = "The query parameter async is not true, false, 1 or 0.";
		return PROBLEM_INVALID_PARAMETER;
	}
	if (body_len > route->config.max_body_bytes) {
		*ret_detail = "The body is larger than this route takes.";
		return PROBLEM_CONTENT_TOO_LARGE;
	}
	if (body_len > 0 && !is_type_allowed(route, request)) {
		*ret_detail = "This route does not take bodies of that type.";
		return PROBLEM_UNSUPPORTED_MEDIA_TYPE;
	}
	return PROBLEM_NONE;
}

/* What the head says of the length of a body that is to come; of chunks it is not known, and may be nothing. */
static uint64_t
announced_len(const struct http_request *request)
{
	const char *length = http_request_field(request, "Content-Length");
	uint64_t len = 0;

	/* The guard has passed it, but may have had a larger limit than a number has. */
	if (length && text_parse_uint(length, strlen(length), UINT64_MAX, &len) < 0)
		return UINT64_MAX;
	return len;
}

bool
call_refuse_early(struct http_request *request, void *arg)
{
	const struct style_route *route = arg;
	CLEANUP_FREE char *query = NULL;
	const char *detail;

	enum async_param said = async_param_read(request->query, &query);
	enum problem problem = judge_head(route, request, said, announced_len(request), &detail);
	if (problem != PROBLEM_NONE)
		answer_problem(request, style_route_dialect(route), problem, 0, detail, NULL);
	return problem != PROBLEM_NONE;
}

/* Steps 5 to 7 of the contract's order, as far as they need no thread; true if the call is still to be submitted. */
static bool
check(struct call *call)
{
	int rc = http_request_take_body(call->request, call->route->styles->config.spool_fd, &call->body);
	if (rc < 0) {
		log_error("body not kept", "error=%s", strerrorname_np(-rc));
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
	timer_init(&call->timer, on_patience_over);
	timer_init(&call->judge_timer, NULL);
	request->arg = call;
	request->on_gone = on_gone;
	enum async_param said = async_param_read(request->query, &call->query);
	const char *detail;
	enum problem problem =
		judge_head(call->route, request, said, http_request_body_len(request), &detail);
	if (problem != PROBLEM_NONE) {
		call_refuse(call, problem, 0, detail, NULL);
		return;
	}
	read_preferences(request, &call->preferences);
	choose_style(call, said);
	if (!check(call))
		return;
	if (call->route->config.collection && is_safe(request))
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
