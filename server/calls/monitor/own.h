/*
 * The caller's own operations, newest first, as a page of a style's list.  A page is collected in many short turns of the
 * loop, so that it delays nothing else, however many operations are kept.  Loop thread only.
 */
#pragma once

#include "style/style.h"

#include <stddef.h>

struct id;
struct op_route;
struct text;

struct own_list {
	const char *begin; /* of the document, up to the first element */

	/* Adds an operation, without a comma. */
	void (*add)(struct text *json, const struct http_request *request, const struct op *op);

	/* Ends the document.  last is the id of the last operation on the page if there are more; NULL: there are none. */
	void (*end)(struct text *json, const struct http_request *request, const struct id *last);
};

struct own_query {
	const struct op_route *route; /* NULL: of every route */
	bool is_done;		      /* only those that have ended */
	size_t limit;
	char *marker; /* the id behind which the page begins, taken; NULL: it begins with the newest */
};

/* Answers with a page of the operations of the request's caller that have not expired; 400 if the marker is none. */
void own_reply(struct http_request *request, struct styles *styles, const struct style *style,
	const struct own_list *list, struct own_query *query);
