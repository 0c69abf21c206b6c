/* The table of styles: a new style is one file and one row here. */
#include "styles/style_table.h"

#include <string.h>

extern const struct style style_location;
extern const struct style style_status;
extern const struct style style_resource;
extern const struct style style_token;
extern const struct style style_prefer;
extern const struct style style_azure;
extern const struct style style_google;
extern const struct style style_prediction;

const struct style *const style_table[] = {&style_location, &style_status, &style_token, &style_resource,
	&style_prefer, &style_azure, &style_google, &style_prediction, NULL};

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
