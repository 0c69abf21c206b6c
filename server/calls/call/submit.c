/* A call becomes an operation, joins the one that had its key, or is refused for want of room.  Its answer then waits for
 * the acceptance, the end, or the end of the client's patience (Prefer: wait). */
#include "calls/call/submit.h"

#include "calls/call/answer.h"
#include "calls/call/call.h"
#include "common/cleanup.h"

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
tell_accepted(struct call *call)
{
	CLEANUP(fields_fini) struct fields fields = {0};
	const struct style *style = call->style;
	struct styles *styles = call->route->styles;
	struct op *op = call->op;

	put_preference_applied(call, &fields, true);
	if (call->also && call->also->put_fields)
		call->also->put_fields(&fields, op);
	style->reply_accepted(call_end(call), styles, op, &fields);
}

static void
answer_end(struct call *call)
{
	CLEANUP(fields_fini) struct fields fields = {0};
	const struct style *style = call->style;
	struct styles *styles = call->route->styles;
	struct op *op = call->op;

	put_preference_applied(call, &fields, false);
	if (style && style->reply_ended)
		style->reply_ended(call_end(call), styles, op, &fields);
	else
		answer_final(call_end(call), op, &fields, false);
}

/* Overload: 503 for the whole server, 429 for the route, unless the style has one status for both. */
static void
refuse_load(struct call *call)
{
	static const struct {
		enum problem problem;
		const char *detail;
	} reasons[] = {
		[OP_REFUSED_CAPACITY] = {PROBLEM_CAPACITY, "The server is at capacity."},
		[OP_REFUSED_QUEUE] = {PROBLEM_QUEUE_FULL, "This route's queue is full."},
		[OP_REFUSED_DRAINING] = {PROBLEM_DRAINING, "The server is shutting down."},
		[OP_REFUSED_STORAGE] = {PROBLEM_STORAGE, "Operations cannot be stored at the moment."},
	};
	CLEANUP(fields_fini) struct fields fields = {0};
	int status = call->style ? call->style->overload_status : 0;

	fields_putf(&fields, "Retry-After", "%u",
		op_route_retry_after(call->route->config.op_route, call->refusal));
	call_refuse(call, reasons[call->refusal].problem, status, reasons[call->refusal].detail, &fields);
}

/* The server lets go of an operation that has not ended: it goes down. */
static void
answer_draining(struct call *call)
{
	if (call->style) {
		tell_accepted(call);
	} else {
		call->refusal = OP_REFUSED_DRAINING;
		refuse_load(call);
	}
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
	tell_accepted(container_of(timer, struct call, timer));
}

void
call_await(struct call *call, struct op *op)
{
	bool ended = op_has_ended(op);

	call->op = op;
	if (call->style && call->wait_ms == 0) {
		tell_accepted(call);
		return;
	}
	if (ended) {
		answer_end(call);
		return;
	}
	if (op_is_left(op)) {
		answer_draining(call);
		return;
	}
	op_watch(op, &call->watcher, on_end);
	if (call->style) {
		timer_init(&call->timer, on_patience_over);
		timer_start(call->route->styles->config.timers, &call->timer, call->wait_ms);
	}
}

static void
on_accepted(struct op_acceptor *acceptor, struct op *op, int error)
{
	struct call *call = container_of(acceptor, struct call, acceptor);

	if (error && call->flow)
		call->flow->refused(call, error);
	else if (error)
		call_refuse(call, PROBLEM_STORAGE, 0, NULL, NULL);
	else
		call_await(call, op);
}

void
call_refuse_load(struct call *call, enum op_refusal refusal)
{
	call->refusal = refusal;
	if (call->change && (refusal == OP_REFUSED_CAPACITY || refusal == OP_REFUSED_QUEUE))
		call->flow->judge_again(call, refuse_load);
	else
		refuse_load(call);
}

/* The submitter may not be the one who reads the result, and some monitors show it inside a JSON document. */
static void
ask_for_identity(struct fields *fields)
{
	fields_remove(fields, "Accept-Encoding");
	fields_put(fields, "Accept-Encoding", "identity");
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

	if (!submission.sync || call->key)
		ask_for_identity(&call->input->fields);
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
		enum problem_dialect dialect = call->style ? call->style->dialect : PROBLEM_PLAIN;
		answer_expired(call_end(call), dialect, op);
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
		call->flow->judge_again(call, refuse_reused);
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
