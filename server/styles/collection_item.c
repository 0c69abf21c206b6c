/* GET of one resource: at once, or when what changes it has ended (Prefer: wait). */
#include "styles/collection.h"

#include "common/cleanup.h"
#include "http/reply.h"
#include "styles/answer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A read on its way. */
struct item {
	struct http_request *request; /* NULL: the client has left */
	struct style_route *route;    /* a reference */
	struct store_read read;
	char *url;
	bool reads;    /* the store has read */
	bool was_late; /* a change was there when it was read, and had ended by the time that was known */
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

	item->request = NULL;
	if (!item->reads)
		free_item(item);
	answer_gone(request);
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

/* Whether the client has what it asks for: a comparison of weak tags (RFC 9110, 13.1.2). */
struct tags {
	uint64_t version;
	bool matched;
};

static void
take_if_none_match_line(const char *value, void *arg)
{
	struct tags *tags = arg;
	char ours[24];
	int our_len = snprintf(ours, sizeof ours, "\"%llu\"", (unsigned long long)tags->version);

	while (*value) {
		value += strspn(value, " \t,");
		if (strncmp(value, "W/", 2) == 0)
			value += 2;
		size_t len = strcspn(value, ", \t");
		tags->matched |= len == 1 && value[0] == '*';
		tags->matched |= len == (size_t)our_len && memcmp(value, ours, len) == 0;
		value += len;
	}
}

static bool
has_it(const struct http_request *request, uint64_t version)
{
	struct tags tags = {.version = version};

	http_request_each_field(request, "If-None-Match", take_if_none_match_line, &tags);
	return tags.matched;
}
static void
reply_item(struct http_request *request, const struct store_item *item, const struct op *op,
	const struct preferences *preferences)
{
	CLEANUP(fields_fini) struct fields fields = {0};

	fields_putf(&fields, "ETag", "\"%llu\"", (unsigned long long)item->version);
	fields_put(&fields, "Cache-Control", "no-store");
	if (preferences->has_wait && preferences->wait_ms > 0)
		fields_put(&fields, "Preference-Applied", preferences->wait);
	if (has_it(request, item->version)) {
		reply_bytes(request, 304, &fields, NULL, 0);
		return;
	}
	fields_put(&fields, "Content-Type", "application/json");
	if (item->status == STORE_PENDING)
		fields_putf(&fields, "Retry-After", "%u", op && !op_has_ended(op) ? op_retry_after(op) : 1);
	reply_blob(request, 200, &fields, item->representation);
}

static void
answer(struct item *item, const struct op *op)
{
	struct preferences preferences = item->preferences;
	struct text json = {.data = item->read.representation, .len = strlen(item->read.representation)};
	struct store_item found = {
		.status = item->read.status,
		.version = item->read.version,
		.representation = blob_take_text(&json),
	};

	item->read.representation = NULL;
	reply_item(end_item(item), &found, op, &preferences);
	blob_unref(found.representation);
}

static void
on_end(struct op_watcher *watcher, struct op *op)
{
	struct item *item = container_of(watcher, struct item, watcher);

	(void)op;
	item->was_late = false;
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
	bool waits =
		read->status == STORE_PENDING && timer_is_running(&item->timer) && !(op && op_is_left(op));
	if (waits && op && !op_has_ended(op)) {
		op_watch(op, &item->watcher, on_end);
	} else if (waits && !item->was_late) {
		item->was_late = true; /* the change has ended since it was read */
		read_item(item);
	} else {
		answer(item, op);
	}
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

/* Answers at once if the resource is in memory, and nothing has to be waited for. */
static bool
answer_from_memory(struct item *item)
{
	const struct store_read *read = &item->read;
	const struct store_item *found = store_find_item(
		item->route->styles->config.store, read->collection, &read->id, &read->parent, read->url);
	bool waits = item->preferences.has_wait && item->preferences.wait_ms > 0;
	const struct op *op = NULL;

	if (!found || (found->status == STORE_PENDING && waits))
		return false;
	if (found->status == STORE_PENDING)
		op = operations_find_change(item->route->styles->config.operations, &read->id);
	reply_item(item->request, found, op, &item->preferences);
	return true;
}

/* What has to be waited for is kept. */
static void
begin_item(const struct item *wanted)
{
	struct item *item = xcalloc(1, sizeof *item);

	*item = *wanted;
	item->route = style_route_ref(wanted->route);
	item->request->arg = item;
	item->request->on_gone = on_gone;
	timer_init(&item->timer, on_patience_over);
	const struct styles_config *config = &item->route->styles->config;
	int64_t wait_ms = preferences_wait_ms(&item->preferences, config->wait_max_ms);
	if (wait_ms > 0)
		timer_start(config->timers, &item->timer, wait_ms);
	read_item(item);
}

bool
collection_answer_item_now(struct http_request *request, struct style_route *route)
{
	struct item item = {.request = request, .route = route, .read.collection = route->config.collection};
	const char *wrong;

	if (!collection_read_ids(
		    request, route->config.collection, true, &item.read.id, &item.read.parent, &wrong))
		return false;
	CLEANUP_FREE char *url = collection_url(request);
	item.read.url = url;
	return answer_from_memory(&item);
}

void
collection_get_item(struct http_request *request, struct style_route *route)
{
	struct item item = {.request = request, .route = route};
	const char *wrong;

	if (!collection_read_ids(
		    request, route->config.collection, true, &item.read.id, &item.read.parent, &wrong)) {
		CLEANUP_FREE char *detail = xasprintf("The path's {%s} is not a UUID.", wrong);
		answer_problem(
			request, style_route_dialect(route), PROBLEM_INVALID_PARAMETER, 0, detail, NULL);
		return;
	}
	item.url = collection_url(request);
	item.read.collection = route->config.collection;
	item.read.url = item.url;
	item.read.done = on_read;
	preferences_read(&item.preferences, request);
	if (answer_from_memory(&item))
		free(item.url);
	else
		begin_item(&item);
}
