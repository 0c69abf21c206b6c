/* Patterns of ECMA-262, rewritten for PCRE2.  Part of the schema, see schema.h. */
#pragma once

#include "common/text.h"

#include <stdbool.h>
#include <stddef.h>

/* Rewrites a pattern of ECMA-262 for PCRE2, adding to ret_text, and measures its longest class in bytes.
 * Without modifiers "(?i:" becomes "(?:" and so on: no matter for whether it is well-formed, but much faster
 * to compile.  -EINVAL and the reason is added to ret_reason for what ECMA-262 does not have; what both
 * refuse is left to PCRE2. */
__attribute__((warn_unused_result)) int schema_ecma_rewrite(const char *pattern, size_t len,
	bool with_modifiers, struct text *ret_text, size_t *ret_longest_class, struct text *ret_reason);
