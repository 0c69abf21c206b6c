/* What the rewriting of patterns has in common.  Part of schema_ecma.c, and for nobody else. */
#pragma once

#include "common/text.h"

#include <stdbool.h>
#include <stddef.h>

/* A pattern on its way. */
struct ecma {
	const char *at; /* what is to be rewritten next */
	const char *end;
	struct text *out;     /* what has been, for PCRE2 */
	struct text *reason;  /* what is wrong with it */
	size_t longest_class; /* in out, in bytes */
	bool with_modifiers;  /* see schema_ecma.h */
	bool may_repeat;      /* something that a quantifier may follow came last */
	bool in_class;
};

/* Whether what comes next. */
bool ecma_looks_at(const struct ecma *ecma, const char *what);
bool ecma_is_digit(char c);

/* Says why the pattern is none; false. */
bool ecma_refuse(struct ecma *ecma, const char *reason);

/* schema_ecma_escape.c: rewrites the escape, in a class or outside, that comes next.  False if it is none. */
__attribute__((warn_unused_result)) bool ecma_rewrite_escape(struct ecma *ecma);
