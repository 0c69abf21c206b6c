/*
 * Reads of a collection that were asked for asynchronously (contract, 2.3): what is read is the final
 * response of an operation, as that of any other route would be.  What is missing, or asked for wrongly, is
 * told before there is one.
 */
#include "calls/collection/read.h"

#include "calls/call/call.h"
#include "calls/call/submit.h"
#include "calls/collection/change.h"
#include "calls/collection/collection.h"
#include "common/cleanup.h"

#include <stdlib.h>
#include <string.h>

/* Submits the call with what was read; json is taken. */
static void
submit(struct call *call, struct text *json)
{
	struct work_result *verdict = &call->verdict;

	verdict->status = 200;
	fields_put(&verdict->fields, "Content-Type", "application/json");
	if (call->request->method == HTTP_HEAD)
		text_fini(json);
	else
		verdict->body = blob_take_text(json);
	call_submit_or_join(call);
}

static void
on_listed(struct store_list *list)
{
	struct call *call = list->arg;
	struct text json = {0};
	const char *detail;

	if (call_is_gone(call))
		return;
	enum problem problem = collection_page_problem(call->page, &detail);
	if (problem != PROBLEM_NONE) {
		call_refuse(call, problem, 0, detail, NULL);
		return;
	}
	collection_page_format(call->page, &json);
	text_add_char(&json, '\n');
	submit(call, &json);
}

static void
list(struct call *call)
{
	CLEANUP_FREE char *detail = NULL;

	call->page = xcalloc(1, sizeof *call->page);
	enum problem problem = collection_page_init(call->page, call->request, call->route, &detail);
	if (problem != PROBLEM_NONE) {
		call_refuse(call, problem, 0, detail, NULL);
		return;
	}
	call->page->list.done = on_listed;
	call->page->list.arg = call;
	call->busy = true;
	store_list(call->route->styles->config.store, &call->page->list);
}

static void
on_read(struct store_read *read)
{
	struct call *call = container_of(read, struct call, read);
	struct text json = {0};

	if (call_is_gone(call))
		return;
	if (read->error) {
		call_change_refused(call, read->error);
		return;
	}
	fields_putf(&call->verdict.fields, "ETag", "\"%llu\"", (unsigned long long)read->version);
	text_add_string(&json, read->representation);
	submit(call, &json);
}

static void
read_item(struct call *call)
{
	const char *wrong;

	if (!collection_read_ids(
		    call->request, call->route->config.collection, true, &call->id, &call->parent, &wrong)) {
		CLEANUP_FREE char *detail = xasprintf("The path's {%s} is not a UUID.", wrong);
		call_refuse(call, PROBLEM_INVALID_PARAMETER, 0, detail, NULL);
		return;
	}
	call->url = collection_url(call->request);
	call->read = (struct store_read){
		.collection = call->route->config.collection,
		.id = call->id,
		.parent = call->parent,
		.url = call->url,
		.done = on_read,
	};
	call->busy = true;
	store_read(call->route->styles->config.store, &call->read);
}

/* An item's pattern is the collection's and one more. */
static bool
is_item(const struct call *call)
{
	CLEANUP_FREE char *id = http_request_param(call->request, "id");

	return id != NULL;
}

static void
free_page(struct call *call)
{
	if (call->page)
		collection_page_fini(call->page);
	free(call->page);
}

static const struct call_flow flow = {.refused = call_change_refused, .free = free_page};

void
call_read_begin(struct call *call)
{
	call->flow = &flow;
	if (is_item(call))
		read_item(call);
	else
		list(call);
}
