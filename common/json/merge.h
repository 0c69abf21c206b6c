/* JSON Merge Patch (RFC 7396). */
#pragma once

#include <stdbool.h>

struct json_object;

/* Applies patch to target and returns the result (the caller's; NULL is JSON's null), which shares members with
 * patch.  target may be changed: do not use it any more, but put it. */
struct json_object *json_merge(struct json_object *target, struct json_object *patch);

/* Removes from patch each member that would not change target, at every depth of objects, and returns whether
 * any is left.  A null for a member that target lacks, or has as null, changes nothing.  Both are objects. */
bool json_merge_narrow(struct json_object *patch, struct json_object *target);

/* Removes from patch each member whose value differs between before and after, at every depth at which all
 * three are objects, and returns whether any is left: what is left can be applied to after without undoing
 * anything that was done to before.  All are objects. */
bool json_merge_yield(struct json_object *patch, struct json_object *before, struct json_object *after);
