/* Escapes in patterns of ECMA-262, rewritten for PCRE2.  For schema_ecma.c only. */
#pragma once

#include "common/schema/regex/cursor.h"

/* Rewrites the escape at the cursor, inside a class or outside.  False, with the reason set, if it is not one of
 * ECMA-262. */
__attribute__((warn_unused_result)) bool ecma_rewrite_escape(struct ecma *ecma);
