/*
 * The body of a call: small ones are judged on the loop, which they hold up for a moment at most, others on a pool
 * thread.  A late call judges a body after the 202, because the client asked for that (Prefer: wait=0) or because it
 * took too long.  It has no request: a refusal becomes the final response of the operation, which is held meanwhile, and
 * the call ends when its operation does.
 */
#include "styles/call_body.h"

#include "common/schema/schema.h"
#include "styles/call.h"
#include "styles/call_change.h"
#include "styles/call_input.h"
#include "styles/call_submit.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* What is judged on the loop; what its schema takes too many steps for goes to a thread after all. */
#define INLINE_BYTES (16 * 1024)

/* A body on a thread. */
struct judging {
	struct pool_job job;
	struct call *call;	   /* whose it is; NULL: nobody waits for it any more */
	struct style_route *route; /* a reference, which keeps what it is judged by */
	struct intake intake;
	bool only_parses;
	atomic_bool abandoned; /* it need not begin */
};

bool
call_wants_intake(const struct call *call)
{
	const struct style_route_config *route = &call->route->config;
	enum http_method method = http_method_find(call_input(call)->method);

	if (!route->schema || method == HTTP_GET || method == HTTP_HEAD || method == HTTP_OPTIONS)
		return false;
	return method != HTTP_DELETE || call->body;
}

static void
run(struct intake *intake)
{
	if (!intake->value)
		intake_parse(intake);
	intake_judge(intake);
}

/* Pool thread. */
static void
do_judge(struct pool_job *job)
{
	struct judging *judging = container_of(job, struct judging, job);

	if (atomic_load(&judging->abandoned))
		return;
	if (judging->only_parses)
		intake_parse(&judging->intake);
	else
		run(&judging->intake);
}

static void
on_judged(struct pool_job *job)
{
	struct judging *judging = container_of(job, struct judging, job);
	struct call *call = judging->call;

	if (call) {
		timer_stop(&call->judge_timer);
		call->judging = NULL;
		call->intake = judging->intake;
	} else {
		intake_fini(&judging->intake);
	}
	style_route_unref(judging->route);
	free(judging);
	if (call)
		call->judged(call);
}

void
call_abandon_judging(struct call *call)
{
	if (!call->judging)
		return;
	atomic_store(&call->judging->abandoned, true);
	call->judging->call = NULL;
	call->judging = NULL;
}

/* The 202 waits no longer: what is found is the final response. */
static void
on_judged_too_late(struct timer *timer)
{
	struct call *call = container_of(timer, struct call, judge_timer);

	call_abandon_judging(call);
	call_submit_unjudged(call);
}

static void
go_to_thread(struct call *call, bool only_parses)
{
	const struct styles_config *config = &call->route->styles->config;
	struct judging *judging = xcalloc(1, sizeof *judging);

	judging->call = call;
	judging->route = style_route_ref(call->route);
	judging->intake = call->intake;
	judging->only_parses = only_parses;
	judging->job.run = do_judge;
	judging->job.done = on_judged;
	call->intake = (struct intake){0};
	call->judging = judging;
	if (call->style && !call->is_late) {
		timer_init(&call->judge_timer, on_judged_too_late);
		timer_start(config->timers, &call->judge_timer, config->validation_wait_ms);
	}
	pool_submit(call->route->styles->pool, &judging->job);
}

static void
judge_on_thread(struct call *call)
{
	call->intake.schema = call->route->config.schema;
	go_to_thread(call, false);
}

void
call_parse(struct call *call, void (*parsed)(struct call *call))
{
	call->judged = parsed;
	call->intake.body = blob_ref(call->body);
	if (blob_len(call->body) > INLINE_BYTES) {
		go_to_thread(call, true);
		return;
	}
	intake_parse(&call->intake);
	parsed(call);
}

void
call_judge(struct call *call, void (*judged)(struct call *call))
{
	struct intake *intake = &call->intake;
	size_t document_len = intake->document ? strlen(intake->document) : 0;

	call->judged = judged;
	if (!intake->body)
		intake->body = blob_ref(call->body);
	if (blob_len(intake->body) + document_len > INLINE_BYTES) {
		judge_on_thread(call);
		return;
	}
	intake->schema = call->route->config.quick_schema;
	run(intake);
	if (intake_is_undecided(intake)) {
		intake_reset(intake);
		judge_on_thread(call);
		return;
	}
	judged(call);
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
