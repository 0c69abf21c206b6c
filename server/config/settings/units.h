/* Times and sizes with units: "30s", "500ms", "7d"; "64KiB", "8MiB", "512B". */
#pragma once

#include "common/text.h"

#include <stddef.h>
#include <stdint.h>

/* Reads digits and one of ms, s, m, h, d.  Returns 0, -EINVAL if it is not a time, -ERANGE if it does not fit.
 * Any thread. */
__attribute__((warn_unused_result)) int units_parse_time(const char *data, size_t len, uint64_t *ret_ms);

/* Reads digits and one of B, KiB, MiB, GiB, TiB.  Returns 0, -EINVAL if it is not a size, -ERANGE if it does not
 * fit.  Any thread. */
__attribute__((warn_unused_result)) int units_parse_size(const char *data, size_t len, uint64_t *ret_bytes);

/* Adds the time or size in the largest unit that leaves no fraction: "90m", "64KiB", "0s", "0B".  Any
 * thread. */
void units_add_time(struct text *text, uint64_t ms);
void units_add_size(struct text *text, uint64_t bytes);
