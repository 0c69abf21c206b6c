/*
 * Bodies that are judged after the 202: because the client asked for that (Prefer: wait=0), or because it
 * took too long.  The operation is held meanwhile.  A late call has no request: what it would have been
 * refused with becomes the final response, and it ends when its operation does.
 */
#include "styles/call.h"

#include <stdlib.h>

static void
on_end(struct op_watcher *watcher, struct op *op)
{
	struct call *call = container_of(watcher, struct call, watcher);

	(void)op;
	call->op = NULL;
	if (!call->busy)
		call_free(call);
}

/* The operation, from which the call, which is freed, lets go; NULL if it is no longer held: its end is
 * decided. */
static struct op *
end(struct call *call)
{
	struct op *op = op_unjudged_input(call->op) ? call->op : NULL;

	call_free(call);
	return op;
}

void
call_late_pass(struct call *call)
{
	struct operations *operations = call->route->styles->config.operations;
	struct op *op = end(call);

	if (op)
		operations_pass(operations, op);
}

void
call_late_fail(struct call *call, const struct problem_report *report)
{
	struct work_result verdict = {
		.status = report->status ? report->status : problem_status(report->problem),
		.detail = xstrdup(report->detail ? report->detail : problem_title(report->problem)),
	};
	struct problem_report told = *report;
	struct text document = {0};
	char id[ID_TEXT_SIZE];

	if (call->op) {
		id_format(&call->op->id, id);
		told.request_id = id;
	}
	problem_format(&told, &document);
	verdict.body = blob_take_text(&document);
	fields_put(&verdict.fields, "Content-Type", PROBLEM_CONTENT_TYPE);
	struct op *op = end(call);
	if (op)
		operations_fail(op, &verdict);
	else
		work_result_fini(&verdict);
}

static void
on_attached(void *arg, int error)
{
	struct call *call = arg;

	if (!error)
		call->change = NULL;
	if (call_is_gone(call))
		return;
	if (error)
		call_change_refused(call, error);
	else
		call_free(call);
}

void
call_late_attach(struct call *call)
{
	if (!op_unjudged_input(call->op)) {
		call_free(call);
		return;
	}
	call->busy = true;
	operations_attach(call->route->styles->config.operations, call->op, call->change, on_attached, call);
}

static void
on_judged(struct call *call)
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
	op_watch(op, &call->watcher, on_end);
	if (route->config.collection)
		call_change_begin(call);
	else if (call_wants_intake(call))
		call_judge(call, on_judged);
	else
		call_late_pass(call);
}
