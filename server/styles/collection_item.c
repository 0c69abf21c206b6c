/* GET of one resource: at once, or when what changes it has ended (Prefer: wait). */
#include "styles/collection.h"

#include "common/cleanup.h"
#include "http/reply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A read on its way. */
struct item {
	struct http_request *request; /* NULL: the client has left */
	struct style_route *route;    /* a reference */
	struct store_read read;
	char *url;
	bool reads; /* the store has read */
	struct preferences preferences;
	struct op_watcher watcher; /* of what changes the resource, while the answer is held */
	struct timer timer;	   /* the client's patience */
};

static void read_item(struct item *item);

static void
free_item(struct item *item)
{
	op_unwatch(&item->watcher);
	timer_stop(&item->timer);
	style_route_unref(item->route);
	free(item->read.document);
	free(item->read.representation);
	free(item->url);
	free(item);
}

static struct http_request *
end_item(struct item *item)
{
	struct http_request *request = item->request;

	request->on_gone = NULL;
	request->arg = NULL;
	free_item(item);
	return request;
}

static void
on_gone(struct http_request *request)
{
	struct item *item = request->arg;

	request->on_gone = NULL;
	request->arg = NULL;
	item->request = NULL;
	if (!item->reads)
		free_item(item);
	/* Nobody hears it. */
	reply_bytes(request, 503, NULL, NULL, 0);
}

static void
refuse(struct item *item, int error)
{
	enum problem_dialect dialect = style_route_dialect(item->route);

	if (error == -ENOENT)
		answer_problem(
			end_item(item), dialect, PROBLEM_NOT_FOUND, 0, "There is no such resource.", NULL);
	else
		answer_problem(end_item(item), dialect, PROBLEM_STORAGE, 0, NULL, NULL);
}

static void
answer(struct item *item, const struct op *op)
{
	CLEANUP(fields_fini) struct fields fields = {0};
	struct text json = {.data = item->read.representation, .len = strlen(item->read.representation)};

	fields_putf(&fields, "ETag", "\"%llu\"", (unsigned long long)item->read.version);
	fields_put(&fields, "Cache-Control", "no-store");
	if (item->read.status == STORE_PENDING)
		fields_putf(&fields, "Retry-After", "%u", op && !op_has_ended(op) ? op_retry_after(op) : 1);
	if (item->preferences.has_wait && item->preferences.wait_ms > 0)
		fields_put(&fields, "Preference-Applied", item->preferences.wait);
	item->read.representation = NULL;
	reply_json(end_item(item), 200, &fields, &json);
	text_fini(&json);
}

static void
on_end(struct op_watcher *watcher, struct op *op)
{
	struct item *item = container_of(watcher, struct item, watcher);

	(void)op;
	read_item(item);
}

static void
on_patience_over(struct timer *timer)
{
	struct item *item = container_of(timer, struct item, timer);

	op_unwatch(&item->watcher);
	if (!item->reads)
		read_item(item);
}

static void
on_read(struct store_read *read)
{
	struct item *item = container_of(read, struct item, read);
	struct op *op = NULL;

	item->reads = false;
	if (!item->request) {
		free_item(item);
		return;
	}
	if (read->error) {
		refuse(item, read->error);
		return;
	}
	if (read->status == STORE_PENDING)
		op = operations_find_change(item->route->styles->config.operations, &read->id);
	if (op && !op_has_ended(op) && timer_is_running(&item->timer))
		op_watch(op, &item->watcher, on_end);
	else
		answer(item, op);
}

static void
read_item(struct item *item)
{
	free(item->read.document);
	free(item->read.representation);
	item->read.document = item->read.representation = NULL;
	item->reads = true;
	store_read(item->route->styles->config.store, &item->read);
}

void
collection_get_item(struct http_request *request, struct style_route *route)
{
	struct item *item = xcalloc(1, sizeof *item);
	const char *wrong;

	item->request = request;
	item->route = style_route_ref(route);
	timer_init(&item->timer, on_patience_over);
	request->arg = item;
	request->on_gone = on_gone;
	if (!collection_read_ids(
		    request, route->config.collection, true, &item->read.id, &item->read.parent, &wrong)) {
		CLEANUP_FREE char *detail = xasprintf("The path's {%s} is not a UUID.", wrong);
		enum problem_dialect dialect = style_route_dialect(route);
		answer_problem(end_item(item), dialect, PROBLEM_INVALID_PARAMETER, 0, detail, NULL);
		return;
	}
	item->url = collection_url(request);
	item->read.collection = route->config.collection;
	item->read.url = item->url;
	item->read.done = on_read;
	read_preferences(request, &item->preferences);
	if (item->preferences.has_wait && item->preferences.wait_ms > 0) {
		int64_t most_ms = route->styles->config.wait_max_ms;
		timer_start(route->styles->config.timers, &item->timer,
			item->preferences.wait_ms < most_ms ? item->preferences.wait_ms : most_ms);
	}
	read_item(item);
}
