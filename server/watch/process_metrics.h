/* Metrics of this process, under the names that Prometheus' client libraries use. */
#pragma once

#include "common/text.h"

#include <stdint.h>

/* started_ms: when the server was started, wall clock. */
void process_metrics_format(int64_t started_ms, struct text *ret_text);
