/* What a call's answer waits for: the end, the acceptance, or the first of the end and the client's patience
 * (Prefer: wait). */
#include "styles/call.h"

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
answer_accepted(struct call *call)
{
	CLEANUP(fields_fini) struct fields fields = {0};
	const struct style *style = call->style;
	struct op *op = call->op;

	put_preference_applied(call, &fields, true);
	if (call->also && call->also->put_fields)
		call->also->put_fields(&fields, op);
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
