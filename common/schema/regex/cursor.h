/* A pattern of ECMA-262 that is being rewritten for PCRE2.  For schema_ecma.c and schema_ecma_escape.c only. */
#pragma once

#include "common/text.h"

#include <stdbool.h>
#include <stddef.h>

struct ecma {
	const char *at; /* the next byte to rewrite */
	const char *end;
	struct text *out;     /* the rewritten pattern so far */
	struct text *reason;  /* why it was refused */
	size_t longest_class; /* in out, in bytes */
	bool with_modifiers;  /* see schema_ecma.h */
	bool may_repeat;      /* a quantifier may follow what came last */
	bool in_class;
};

/* Whether the rest of the pattern begins with what. */
bool ecma_looks_at(const struct ecma *ecma, const char *what);
bool ecma_is_digit(char c);

/* Sets the reason why the pattern is refused.  Returns false. */
bool ecma_refuse(struct ecma *ecma, const char *reason);
