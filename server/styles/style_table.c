/* The table of styles, and which of them serves a request.  A new style is one file and one row here. */
#include "styles/style.h"

#include <string.h>

extern const struct style style_location;
extern const struct style style_status;
extern const struct style style_resource;
extern const struct style style_token;
extern const struct style style_prefer;

const struct style *const style_table[] = {
	&style_location, &style_status, &style_token, &style_resource, &style_prefer, NULL};

const struct style *
style_find(const char *name)
{
	for (const struct style *const *style = style_table; *style; style++)
		if (strcmp((*style)->name, name) == 0)
			return *style;
	return NULL;
}

const char *
style_find_name(const char *name)
{
	const struct style *style = style_find(name);

	return style ? style->name : NULL;
}

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
