/* Collections as clients read them.  For the files of this layer alone. */
#pragma once

#include "store/resources.h"
#include "styles/private.h"

/* Reads the ids in the path; false and the parameter's name if one is none. */
bool collection_read_ids(const struct http_request *request, const struct store_collection *collection,
	bool is_item, struct id *ret_id, struct id *ret_parent, const char **ret_wrong);

/* Where the request went, without query, for the caller to free. */
char *collection_url(const struct http_request *request);

/* Answers a GET of one resource, only if that can be done at once from memory (see http_answer_fn), and of a list. */
void collection_get_item(struct http_request *request, struct style_route *route);
bool collection_answer_item_now(struct http_request *request, struct style_route *route);
void collection_get_list(struct http_request *request, struct style_route *route);
