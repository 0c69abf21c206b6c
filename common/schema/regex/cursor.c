/* A pattern that is being rewritten: what the rewriting of escapes and of the rest has in common. */
#include "common/schema/regex/cursor.h"

#include <string.h>

bool
ecma_refuse(struct ecma *ecma, const char *reason)
{
	text_add_string(ecma->reason, reason);
	return false;
}

bool
ecma_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool
ecma_looks_at(const struct ecma *ecma, const char *what)
{
	size_t len = strlen(what);

	return (size_t)(ecma->end - ecma->at) >= len && memcmp(ecma->at, what, len) == 0;
}
