/* GET of a collection, synchronously. */
#include "styles/collection.h"

#include "common/cleanup.h"
#include "http/reply.h"

#include <stdlib.h>

/* A list on its way. */
struct listing {
	struct http_request *request; /* NULL: the client has left */
	struct collection_page page;
};

static struct http_request *
end(struct listing *listing)
{
	struct http_request *request = listing->request;

	if (request) {
		request->on_gone = NULL;
		request->arg = NULL;
	}
	collection_page_fini(&listing->page);
	free(listing);
	return request;
}

static void
on_gone(struct http_request *request)
{
	struct listing *listing = request->arg;

	request->on_gone = NULL;
	request->arg = NULL;
	listing->request = NULL;
	/* Nobody hears it. */
	reply_bytes(request, 503, NULL, NULL, 0);
}

static void
refuse(struct listing *listing, enum problem problem, const char *detail)
{
	enum problem_dialect dialect = style_route_dialect(listing->page.route);

	answer_problem(end(listing), dialect, problem, 0, detail, NULL);
}

static void
answer(struct listing *listing)
{
	CLEANUP(text_fini) struct text json = {0};
	CLEANUP(fields_fini) struct fields fields = {0};

	collection_page_format(&listing->page, &json);
	fields_put(&fields, "Cache-Control", "no-store");
	reply_json(end(listing), 200, &fields, &json);
}

static void
on_listed(struct store_list *list)
{
	struct listing *listing = container_of(list, struct listing, page.list);
	const char *detail;
	enum problem problem = collection_page_problem(&listing->page, &detail);

	if (!listing->request)
		end(listing);
	else if (problem != PROBLEM_NONE)
		refuse(listing, problem, detail);
	else
		answer(listing);
}

void
collection_get_list(struct http_request *request, struct style_route *route)
{
	struct listing *listing = xcalloc(1, sizeof *listing);
	CLEANUP_FREE char *detail = NULL;

	listing->request = request;
	listing->page.list.done = on_listed;
	request->arg = listing;
	request->on_gone = on_gone;
	enum problem problem = collection_page_init(&listing->page, request, route, &detail);
	if (problem != PROBLEM_NONE)
		refuse(listing, problem, detail);
	else
		store_list(route->styles->config.store, &listing->page.list);
}
