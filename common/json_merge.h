/* JSON Merge Patch (RFC 7396). */
#pragma once

struct json_object;

/* What target becomes by patch: a new value, the caller's; NULL is JSON's null.  target may be changed and is
 * not to be used any more, but stays the caller's to put.  Members of patch are shared with the result. */
struct json_object *json_merge(struct json_object *target, struct json_object *patch);
