/*
 * The two sides' URLs: a request's path becomes the upstream's, and a Location of the upstream's becomes
 * ours.
 *
 * A URL without a path leaves paths as they are.  The path of one that has any stands in place of the literal
 * beginning of the route's pattern: of "/api" in "/api/{rest...}", of all of "/hold".
 */
#pragma once

#include "common/text.h"

struct work_input;

/* An upstream's URL in its parts. */
struct upstream_target {
	char *origin; /* "http://127.0.0.1:9000" */
	char *path;   /* "/base", "" if there is none; without a slash at its end */
};

/* -EINVAL if url is none of http or https, or has more than a host, a port and a path. */
__attribute__((warn_unused_result)) int upstream_target_init(struct upstream_target *target, const char *url);
void upstream_target_fini(struct upstream_target *target);

/* Adds the request target ("/base/x?y=1") of a call, still percent-encoded. */
void upstream_target_add(
	const struct upstream_target *target, const struct work_input *input, struct text *ret_text);

/* A Location (a URI reference) as our clients are to see it, malloc'ed: below input's BASE if it names
 * something under the upstream's URL, else NULL: it stays as it is. */
char *upstream_target_map_back(
	const struct upstream_target *target, const struct work_input *input, const char *location);
