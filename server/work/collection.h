/* Collection work: a change of a resource, which another kind of work may carry out (contract:
 * "Collection"). */
#pragma once

#include "work/work.h"

/*
 * Makes the work.  Its input's body is the change, {"action","resource"}, which goes to inner as a POST; what
 * inner answers becomes a result without a body, or with the JSON object that is to be merged into the
 * resource.  inner's reference is taken; NULL: every change succeeds at once.
 */
struct work *collection_new(struct work *inner);
