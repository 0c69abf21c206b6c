/* Monitors: reading an operation, at once or when it has ended (Prefer: wait), and cancelling it (contract, 4
 * and 5). */
#include "calls/monitor/monitor.h"
#include "calls/call/answer.h"
#include "calls/call/preference.h"
#include "calls/call/route.h"
#include "common/text.h"
#include "http/message/reply.h"

#include <stdlib.h>
#include <string.h>

/* A monitor's answer that waits: for the end, for the end of patience, or for a cancellation to become
 * durable. */
struct held_monitor {
	struct http_request *request;
	struct styles *styles;
	style_reply_fn *reply;	   /* NULL: it cancels */
	const struct style *style; /* of a cancel */
	struct op *op;
	struct op_watcher watcher;
	struct timer timer;
	struct fields fields;
};

bool
monitor_may_use(const struct http_request *request, const struct op *op)
{
	if (!op->principal || request->is_admin)
		return true;
	return request->principal && strcmp(request->principal, op->principal) == 0;
}

static void
answer_cancel(struct http_request *request, struct styles *styles, const struct style *style, struct op *op)
{
	struct fields fields = {0};

	if (style->reply_cancelled) {
		style->reply_cancelled(request, styles, op, &fields);
	} else if (op->state == OP_CANCELLED) {
		answer_put_poll(&fields, op);
		reply_bytes(request, 204, &fields, NULL, 0);
	} else if (op_has_ended(op)) {
		answer_problem(request, style->dialect, PROBLEM_ALREADY_ENDED, 0, NULL, NULL);
	} else {
		answer_pending(request, styles, op, &fields);
	}
	fields_fini(&fields);
}

static void
release(struct held_monitor *held)
{
	struct http_request *request = held->request;
	struct styles *styles = held->styles;
	const struct style *style = held->style;
	style_reply_fn *reply = held->reply;
	struct fields fields = held->fields;
	struct op *op = held->op;

	op_unwatch(&held->watcher);
	timer_stop(&held->timer);
	free(held);
	if (reply)
		reply(request, styles, op, &fields);
	else
		answer_cancel(request, styles, style, op);
	fields_fini(&fields);
}

static void
on_end(struct op_watcher *watcher, struct op *op)
{
	(void)op;
	release(container_of(watcher, struct held_monitor, watcher));
}

static void
on_patience_over(struct timer *timer)
{
	release(container_of(timer, struct held_monitor, timer));
}

static void
on_gone(struct http_request *request)
{
	release(request->arg);
}

bool
monitor_is_at_hand(const struct http_request *request, const struct op *op)
{
	if (op_has_ended(op))
		return !blob_is_file(op->body);
	return !http_request_field(request, "Prefer");
}

static struct held_monitor *
hold(struct http_request *request, struct styles *styles, style_reply_fn *reply, struct op *op)
{
	struct held_monitor *held = xcalloc(1, sizeof *held);

	held->request = request;
	held->styles = styles;
	held->reply = reply;
	held->op = op;
	timer_init(&held->timer, on_patience_over);
	op_watch(op, &held->watcher, on_end);
	request->arg = held;
	request->on_gone = on_gone;
	return held;
}

/* Takes fields. */
static void
hold_with(struct http_request *request, struct styles *styles, style_reply_fn *reply, struct op *op,
	int64_t wait_ms, struct fields *fields)
{
	if (wait_ms == 0 || op_has_ended(op) || op_is_left(op)) {
		reply(request, styles, op, fields);
		fields_fini(fields);
		return;
	}
	struct held_monitor *held = hold(request, styles, reply, op);
	held->fields = *fields;
	timer_start(styles->config.timers, &held->timer, wait_ms);
}

void
monitor_hold(struct http_request *request, struct styles *styles, style_reply_fn *reply, struct op *op,
	int64_t wait_ms)
{
	struct fields fields = {0};

	hold_with(request, styles, reply, op, wait_ms, &fields);
}

void
monitor_get(struct http_request *request, struct styles *styles, style_reply_fn *reply, struct op *op)
{
	struct preferences preferences;
	struct fields fields = {0};

	preferences_read(&preferences, request);
	int64_t wait_ms = preferences_wait_ms(&preferences, styles->config.wait_max_ms);
	if (wait_ms > 0)
		fields_put(&fields, "Preference-Applied", preferences.wait);
	hold_with(request, styles, reply, op, wait_ms, &fields);
}

void
monitor_cancel(struct http_request *request, struct styles *styles, const struct style *style, struct op *op)
{
	enum op_cancel cancel = operations_cancel(op);

	/* An end that is decided but not yet shown is waited for. */
	if (cancel != OP_CANCEL_STOPPING && !op_has_ended(op))
		hold(request, styles, NULL, op)->style = style;
	else
		answer_cancel(request, styles, style, op);
}

/* A request whose result is being removed. */
struct removal {
	struct http_request *request; /* NULL: the client has left */
	void (*reply)(struct http_request *request);
};

static void
on_removed(void *arg, int error)
{
	struct removal *removal = arg;
	struct http_request *request = removal->request;

	if (request) {
		request->on_gone = NULL;
		request->arg = NULL;
	}
	if (request && error)
		answer_problem(
			request, PROBLEM_PLAIN, PROBLEM_STORAGE, 0, "The removal cannot be stored.", NULL);
	else if (request)
		removal->reply(request);
	free(removal);
}

static void
on_remover_gone(struct http_request *request)
{
	struct removal *removal = request->arg;

	removal->request = NULL;
	answer_gone(request);
}

void
monitor_remove(struct http_request *request, const struct style *style, struct op *op,
	void (*reply)(struct http_request *request))
{
	if (!op_has_ended(op)) {
		answer_problem(request, style->dialect, PROBLEM_NOT_ENDED, 0, NULL, NULL);
		return;
	}
	struct removal *removal = xcalloc(1, sizeof *removal);
	removal->request = request;
	removal->reply = reply;
	request->arg = removal;
	request->on_gone = on_remover_gone;
	operations_remove_result(op, on_removed, removal);
}
