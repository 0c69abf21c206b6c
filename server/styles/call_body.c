/* The body of a call, looked into: small ones on the loop, which they hold up for a moment at most, others on a pool
 * thread. */
#include "styles/call.h"

#include "common/schema.h"

#include <string.h>

/* What is judged on the loop; what its schema takes too many steps for goes to a thread after all. */
#define INLINE_BYTES (16 * 1024)

bool
call_wants_intake(const struct call *call)
{
	const struct style_route_config *route = &call->route->config;
	enum http_method method = call->request->method;

	if (!route->schema || method == HTTP_GET || method == HTTP_HEAD || method == HTTP_OPTIONS)
		return false;
	return method != HTTP_DELETE || call->body;
}

/* Pool thread. */
static void
do_parse(struct pool_job *job)
{
	intake_parse(&container_of(job, struct call, job)->intake);
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
	run(&container_of(job, struct call, job)->intake);
}

static void
on_judged(struct pool_job *job)
{
	struct call *call = container_of(job, struct call, job);

	if (!call_is_gone(call))
		call->judged(call);
}

static void
go_to_thread(struct call *call, void (*job)(struct pool_job *job))
{
	call->busy = true;
	call->job.run = job;
	call->job.done = on_judged;
	pool_submit(call->route->styles->pool, &call->job);
}

static void
judge_on_thread(struct call *call)
{
	call->intake.schema = call->route->config.schema;
	go_to_thread(call, do_judge);
}

void
call_parse(struct call *call, void (*parsed)(struct call *call))
{
	call->judged = parsed;
	call->intake.body = blob_ref(call->body);
	if (blob_len(call->body) > INLINE_BYTES) {
		go_to_thread(call, do_parse);
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
