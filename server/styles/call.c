/* A call of a route, from the request to its answer: its life, and its refusals. */
#include "styles/call.h"

#include "http/reply.h"
#include "styles/answer.h"
#include "styles/call_body.h"
#include "styles/collection.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool
call_is_safe(const struct http_request *request)
{
	return request->method == HTTP_GET || request->method == HTTP_HEAD || request->method == HTTP_OPTIONS;
}

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
