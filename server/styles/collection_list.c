/* Lists of the resources of a collection (contract, 6): the page that a query asks for, how it is shown, and the
 * synchronous GET of it. */
#include "styles/collection.h"

#include "common/cleanup.h"
#include "http/query.h"
#include "http/reply.h"
#include "styles/answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_DEFAULT 20
#define LIMIT_MAX 1000

/* More filters than this are taken for an attack. */
#define FILTERS_MAX 32

/* What takes the value of a parameter: a sentence on what is wrong with it, NULL if nothing is. */
static const char *
take_limit(struct collection_page *page, const char *value)
{
	uint64_t limit;
	int rc = text_parse_uint(value, strlen(value), LIMIT_MAX, &limit);

	if (rc == -EINVAL || (rc == 0 && limit == 0))
		return "The query parameter limit is not a number of 1 or more.";
	page->list.limit = rc == 0 ? (unsigned)limit : LIMIT_MAX;
	return NULL;
}

static const char *
take_marker(struct collection_page *page, const char *value)
{
	if (id_parse(value, strlen(value), &page->list.marker) < 0)
		return "The query parameter marker is not the id of a resource.";
	page->list.has_marker = true;
	return NULL;
}

static const char *
take_sort_key(struct collection_page *page, const char *value)
{
	char **members = page->route->config.members;
	char **known = members;

	while (known && *known && strcmp(*known, value) != 0)
		known++;
	if (known && !*known && !store_collection_owns(page->list.collection, value))
		return "The query parameter sort_key is not a member of these resources.";
	page->list.sort_key_is_known = members;
	free(page->list.sort_key);
	page->list.sort_key = xstrdup(value);
	return NULL;
}

static const char *
take_sort_dir(struct collection_page *page, const char *value)
{
	page->list.descending = strcasecmp(value, "desc") == 0;
	if (!page->list.descending && strcasecmp(value, "asc") != 0)
		return "The query parameter sort_dir is neither asc nor desc.";
	return NULL;
}

static const struct {
	const char *name;
	const char *(*take)(struct collection_page *page, const char *value);
} params[] = {
	{"limit", take_limit},
	{"marker", take_marker},
	{"sort_key", take_sort_key},
	{"sort_dir", take_sort_dir},
};

static const char *
take_filter(struct collection_page *page, const char *name, const char *value)
{
	struct store_list *list = &page->list;

	if (strcmp(name, "async") == 0)
		return NULL;
	if (list->filter_count == FILTERS_MAX)
		return "There are too many query parameters.";
	if (!list->filters)
		list->filters = xcalloc(FILTERS_MAX, sizeof *list->filters);
	list->filters[list->filter_count++] = (struct store_filter){xstrdup(name), xstrdup(value)};
	return NULL;
}

static const char *
take_param(struct collection_page *page, const struct http_query_param *param)
{
	CLEANUP_FREE char *name = xcalloc(param->name_len + 1, 1);
	CLEANUP_FREE char *value = xcalloc(param->value_len + 1, 1);
	size_t len;

	if (text_percent_decode(param->name, param->name_len, true, name, &len) < 0 ||
		text_percent_decode(param->value, param->value_len, true, value, &len) < 0)
		return "A query parameter is not well-formed.";
	if (!text_is_utf8(name, strlen(name)) || !text_is_utf8(value, strlen(value)))
		return "A query parameter is not UTF-8.";
	for (size_t i = 0; i < sizeof params / sizeof *params; i++)
		if (strcmp(params[i].name, name) == 0)
			return params[i].take(page, value);
	return take_filter(page, name, value);
}

static const char *
read_query(struct collection_page *page)
{
	const char *at = page->query;
	struct http_query_param param;
	const char *wrong = NULL;

	while (!wrong && http_query_next(&at, &param))
		if (param.raw_len > 0)
			wrong = take_param(page, &param);
	return wrong;
}

/* Adds the URL of the next page: the same parameters, with the last id seen as marker. */
static void
add_next(struct text *url, const struct collection_page *page)
{
	const char *at = page->query;
	struct http_query_param param;
	char id[ID_TEXT_SIZE];

	text_addf(url, "%s?", page->list.url);
	while (http_query_next(&at, &param)) {
		bool is_marker = param.name_len == 6 && memcmp(param.name, "marker", 6) == 0;
		if (!is_marker && param.raw_len > 0)
			text_addf(url, "%.*s&", (int)param.raw_len, param.raw);
	}
	id_format(&page->list.last, id);
	text_addf(url, "marker=%s", id);
}

static void
add_links(struct text *json, const struct collection_page *page)
{
	CLEANUP(text_fini) struct text self = {0}, next = {0};

	text_addf(&self, "%s%s%s", page->list.url, page->query ? "?" : "", page->query ? page->query : "");
	text_add_string(json, ",\"links\":{\"self\":");
	text_add_json(json, self.data);
	if (page->list.has_more) {
		add_next(&next, page);
		text_add_string(json, ",\"next\":");
		text_add_json(json, next.data);
	}
	text_add_char(json, '}');
}

void
collection_page_fini(struct collection_page *page)
{
	struct store_list *list = &page->list;

	for (size_t i = 0; i < list->filter_count; i++) {
		free(list->filters[i].member);
		free(list->filters[i].value);
	}
	free(list->filters);
	free(list->sort_key);
	free(list->url);
	text_fini(&list->items);
	free(page->query);
	style_route_unref(page->route);
}

enum problem
collection_page_init(struct collection_page *page, const struct http_request *request,
	struct style_route *route, char **ret_detail)
{
	struct id unused;
	const char *wrong;

	page->route = style_route_ref(route);
	page->query = xstrdup(request->query);
	page->list.collection = route->config.collection;
	page->list.limit = LIMIT_DEFAULT;
	page->list.url = collection_url(request);
	if (!collection_read_ids(
		    request, route->config.collection, false, &unused, &page->list.parent, &wrong)) {
		*ret_detail = xasprintf("The path's {%s} is not a UUID.", wrong);
		return PROBLEM_INVALID_PARAMETER;
	}
	wrong = read_query(page);
	*ret_detail = xstrdup(wrong);
	return wrong ? PROBLEM_INVALID_PARAMETER : PROBLEM_NONE;
}

enum problem
collection_page_problem(const struct collection_page *page, const char **ret_detail)
{
	static const struct {
		int error;
		enum problem problem;
		const char *detail;
	} problems[] = {
		{0, PROBLEM_NONE, NULL},
		{-ENOENT, PROBLEM_NOT_FOUND, "There is no such parent."},
		{-ESRCH, PROBLEM_INVALID_PARAMETER,
			"The query parameter marker is not the id of a resource of this list."},
		{-EINVAL, PROBLEM_INVALID_PARAMETER,
			"The query parameter sort_key is not a member of these resources."},
	};

	*ret_detail = NULL;
	for (size_t i = 0; i < sizeof problems / sizeof *problems; i++) {
		if (problems[i].error != page->list.error)
			continue;
		*ret_detail = problems[i].detail;
		return problems[i].problem;
	}
	return PROBLEM_STORAGE;
}

void
collection_page_format(const struct collection_page *page, struct text *ret_json)
{
	text_add_char(ret_json, '{');
	text_add_json(ret_json, page->list.collection->name);
	text_add_string(ret_json, ":[");
	text_add(ret_json, page->list.items.data ? page->list.items.data : "", page->list.items.len);
	text_add_char(ret_json, ']');
	add_links(ret_json, page);
	text_addf(ret_json, ",\"metadata\":{\"total_count\":%llu}}", (unsigned long long)page->list.total);
}

/* A list on its way. */
struct listing {
	struct http_request *request; /* NULL: the client has left */
	struct collection_page page;
};

static struct http_request *
end_listing(struct listing *listing)
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

	listing->request = NULL;
	answer_gone(request);
}

static void
refuse(struct listing *listing, enum problem problem, const char *detail)
{
	enum problem_dialect dialect = style_route_dialect(listing->page.route);

	answer_problem(end_listing(listing), dialect, problem, 0, detail, NULL);
}

static void
answer(struct listing *listing)
{
	CLEANUP(text_fini) struct text json = {0};
	CLEANUP(fields_fini) struct fields fields = {0};

	collection_page_format(&listing->page, &json);
	fields_put(&fields, "Cache-Control", "no-store");
	reply_json(end_listing(listing), 200, &fields, &json);
}

static void
on_listed(struct store_list *list)
{
	struct listing *listing = container_of(list, struct listing, page.list);
	const char *detail;
	enum problem problem = collection_page_problem(&listing->page, &detail);

	if (!listing->request)
		end_listing(listing);
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
