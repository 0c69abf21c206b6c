/*
 * A call of a route, from the request to its answer (contract, 2 and 3): how it is to be answered is read
 * from the request (call_head.c), its input and key are made (call_input.c) and its body is looked into
 * (call_body.c), it is submitted (call_submit.c), and its answer waits for what it has to (call_await.c).
 */
#include "styles/call.h"
#include "styles/collection.h"

#include "common/cleanup.h"
#include "common/log.h"
#include "http/reply.h"
#include "styles/async_param.h"

#include <assert.h>
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

	assert(request);
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
		.request_id = call->request ? call->request->id : NULL,
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
	enum async_param said = async_param_read(request->query, &call->query);
	const char *detail;
	enum problem problem =
		call_judge_head(call->route, request, said, http_request_body_len(request), &detail);
	if (problem != PROBLEM_NONE) {
		CLEANUP(fields_fini) struct fields fields = {0};
		call_add_remedy(call->route, request, problem, &fields);
		call_refuse(call, problem, 0, detail, &fields);
		return;
	}
	read_preferences(request, &call->preferences);
	call_choose_style(call, said);
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
