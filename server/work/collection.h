/* Collection work: a change of a resource, which another kind of work may carry out (contract:
 * "Collection"). */
#pragma once

#include "work/work.h"

/*
 * Makes the work.  The body of its input is the change, {"action","resource"}, which inner gets as a POST.
 * inner's result becomes one without a body, or with the JSON object to merge into the resource.  Takes the
 * reference to inner; NULL: every change succeeds at once.
 */
struct work *collection_new(struct work *inner);
