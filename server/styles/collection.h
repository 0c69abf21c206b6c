/* Collections as clients read them.  For the files of this layer alone. */
#pragma once

#include "store/resources.h"
#include "styles/preference.h"
#include "styles/private.h"

/* Reads the ids in the path; false and the parameter's name if one is none. */
bool collection_read_ids(const struct http_request *request, const struct store_collection *collection,
	bool is_item, struct id *ret_id, struct id *ret_parent, const char **ret_wrong);

/* Where the request went, without query, for the caller to free. */
char *collection_url(const struct http_request *request);

/* A page of a collection; its maker's, all zero but for list.done. */
struct collection_page {
	struct style_route *route; /* a reference */
	char *query;		   /* NULL: there was none */
	struct store_list list;
};

/* Reads what the request asks for: then page->list can be handed to the store.  A problem and its detail, for
 * the caller to free, where that is wrong.  To be ended by collection_page_fini, whatever it returns. */
enum problem collection_page_init(struct collection_page *page, const struct http_request *request,
	struct style_route *route, char **ret_detail);
void collection_page_fini(struct collection_page *page);

/* Once the list is completed: what is wrong, and its detail; the page as JSON where nothing is. */
enum problem collection_page_problem(const struct collection_page *page, const char **ret_detail);
void collection_page_format(const struct collection_page *page, struct text *ret_json);

/* Answers a GET of one resource, only if that can be done at once from memory (see http_answer_fn), and of a
 * list. */
void collection_get_item(struct http_request *request, struct style_route *route);
bool collection_answer_item_now(struct http_request *request, struct style_route *route);
void collection_get_list(struct http_request *request, struct style_route *route);
