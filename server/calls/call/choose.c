/* The choice of the style that serves a request. */
#include "calls/call/choose.h"

/* The first of styles that has that claim on the request; it stands at *ret_place.  NULL if there is none. */
static const struct style *
find_claim(const struct style *const *styles, const struct style_request *request, enum style_claim claim,
	const struct style *const **ret_place)
{
	for (; *styles; styles++)
		if ((*styles)->asks && (*styles)->asks(request) == claim)
			break;
	*ret_place = styles;
	return *styles;
}

const struct style *
style_choose(const struct style *const *table, const struct style_request *request,
	const struct style *route_style, const struct style **ret_also)
{
	const struct style *const *place;
	const struct style *asked = find_claim(table, request, STYLE_ASKED, &place);

	*ret_also = asked ? find_claim(place + 1, request, STYLE_ASKED, &place) : NULL;
	if (asked)
		return asked;
	if (route_style && !request->is_safe)
		return route_style;
	return find_claim(table, request, STYLE_FALLBACK, &place);
}
