/* The caller's own operations, as a page of a style's list. */
#include "calls/monitor/own.h"

#include "calls/call/answer.h"
#include "calls/call/styles.h"
#include "calls/monitor/monitor.h"
#include "common/cleanup.h"
#include "http/message/reply.h"

#include <stdlib.h>
#include <string.h>

/* Operations examined in one turn of the loop: well below a millisecond, wherever they lie in memory. */
#define LOOK_MAX 2000

/* A page that is being collected. */
struct walk {
	struct http_request *request;
	struct styles *styles;
	const struct own_list *list;
	struct own_query query;
	struct op_cursor cursor;
	struct timer timer; /* the next turn */
	struct text json;
	size_t found;
	struct id last; /* the last one found */
};

static void
finish(struct walk *walk, bool has_more)
{
	CLEANUP(fields_fini) struct fields fields = {0};

	op_cursor_stop(&walk->cursor);
	timer_stop(&walk->timer);
	walk->request->on_gone = NULL;
	walk->request->arg = NULL;
	walk->list->end(&walk->json, walk->request, has_more ? &walk->last : NULL);
	fields_put(&fields, "Cache-Control", "no-store");
	reply_json(walk->request, 200, &fields, &walk->json);
	text_fini(&walk->json);
	free(walk);
}

static bool
passes(const struct walk *walk, const struct op *op)
{
	const struct http_request *request = walk->request;
	bool is_own = request->principal ? op->principal && strcmp(op->principal, request->principal) == 0
					 : !op->principal;

	return op->state != OP_EXPIRED && (is_own || request->is_admin) &&
	       (!walk->query.is_done || op_has_ended(op)) &&
	       (!walk->query.route || op_is_of_route(op, walk->query.route));
}

/* One turn.  Stops at one match more than the page holds, which tells whether there is a next page. */
static void
go_on(struct walk *walk)
{
	for (unsigned looked = 0; looked < LOOK_MAX; looked++) {
		const struct op *op = op_cursor_next(&walk->cursor);
		if (!op || (passes(walk, op) && walk->found == walk->query.limit)) {
			finish(walk, op != NULL);
			return;
		}
		if (!passes(walk, op))
			continue;
		if (walk->found++ > 0)
			text_add_char(&walk->json, ',');
		walk->list->add(&walk->json, walk->request, op);
		walk->last = op->id;
	}
	timer_start(walk->styles->config.timers, &walk->timer, 0);
}

static void
on_turn(struct timer *timer)
{
	go_on(container_of(timer, struct walk, timer));
}

static void
on_gone(struct http_request *request)
{
	finish(request->arg, false);
}

void
own_reply(struct http_request *request, struct styles *styles, const struct style *style,
	const struct own_list *list, struct own_query *query)
{
	CLEANUP_FREE char *marker = query->marker;
	struct op *after = NULL;
	struct id id;

	if (marker && *marker && id_parse(marker, strlen(marker), &id) == 0)
		after = operations_find(styles->config.operations, &id);
	if (marker && *marker && !(after && monitor_may_use(request, after))) {
		answer_problem(request, style->dialect, PROBLEM_INVALID_PARAMETER, 0,
			"The page begins behind an operation that is not kept.", NULL);
		return;
	}
	struct walk *walk = xcalloc(1, sizeof *walk);
	walk->request = request;
	walk->styles = styles;
	walk->list = list;
	walk->query = *query;
	timer_init(&walk->timer, on_turn);
	op_cursor_start(&walk->cursor, styles->config.operations, after);
	request->arg = walk;
	request->on_gone = on_gone;
	text_add_string(&walk->json, list->begin);
	go_on(walk);
}
