/* The choice of the style that serves a request. */
#pragma once

#include "style/style.h"

/*
 * The style of table that serves a request: the first one that the request asks for, else route_style unless
 * the method is safe, else the first fallback.  NULL: the call is synchronous.  *ret_also is the next style
 * that the request asks for too, NULL if there is none.
 */
const struct style *style_choose(const struct style *const *table, const struct style_request *request,
	const struct style *route_style, const struct style **ret_also);
