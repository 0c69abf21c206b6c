/* What a call of a route is told in each style, as text for a terminal with lines for curl.  All that is said of a style
 * comes from the table of styles. */
#pragma once

#include "common/text.h"

struct config;
struct style;

/* Adds the explanation of every route at path, which is as in the configuration, with or without its base path
 * ("/thumbnails/{size}").  styles are those that the configuration was read with.  -ENOENT if there is none; then
 * ret_text has the paths that there are, one per line. */
__attribute__((warn_unused_result)) int explain_route(const struct config *config,
	const struct style *const *styles, const char *path, struct text *ret_text);
