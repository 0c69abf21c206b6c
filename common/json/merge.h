/* JSON Merge Patch (RFC 7396). */
#pragma once

struct json_object;

/* Applies patch to target and returns the result (the caller's; NULL is JSON's null), which shares members with
 * patch.  target may be changed: do not use it any more, but put it. */
struct json_object *json_merge(struct json_object *target, struct json_object *patch);
