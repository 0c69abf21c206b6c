/* Metrics of the routes that calls are taken for: what waits and runs now, and what became of calls to
 * upstreams. */
#pragma once

#include "common/text.h"

struct operations;

void route_metrics_format(struct operations *operations, struct text *ret_text);
