/* Metrics per route: calls that wait and run, and the outcome of calls to upstreams.  Loop thread only. */
#pragma once

#include "common/text.h"

struct operations;

void route_metrics_format(struct operations *operations, struct text *ret_text);
