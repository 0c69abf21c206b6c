/* Targets of requests: the bytes that browsers leave as they are are found by a table, and escaped. */
#include "http/message/target.h"

#include "common/text.h"

#include <stdbool.h>
#include <stdint.h>

/* Where a byte is to be escaped, as bits. */
enum { IN_PATH = 1, IN_QUERY = 2 };
static const uint8_t odd[256] = {
	['['] = IN_PATH,
	[']'] = IN_PATH,
	['|'] = IN_PATH,
	['^'] = IN_PATH | IN_QUERY,
	['`'] = IN_QUERY,
	['\\'] = IN_QUERY,
	['%'] = IN_QUERY,
};

/* The percent sign at at begins an escape. */
static bool
is_escape(const char *at, const char *end)
{
	return end - at > 2 && text_hex_value(at[1]) >= 0 && text_hex_value(at[2]) >= 0;
}

/* The first byte from at on that is to be escaped; end: none is.  *where is the part that at is in, and changes at the
 * question mark. */
static const char *
find_odd(const char *at, const char *end, uint8_t *where)
{
	for (; at < end; at++) {
		if (*at == '?')
			*where = IN_QUERY;
		if ((odd[(uint8_t)*at] & *where) && (*at != '%' || !is_escape(at, end)))
			return at;
	}
	return end;
}

char *
target_escape(const char *target, size_t len, size_t *ret_len)
{
	const char *end = target + len;
	struct text escaped = {0};
	uint8_t where = IN_PATH;
	const char *at = find_odd(target, end, &where);

	if (at == end)
		return NULL;
	for (; at < end; at = find_odd(target, end, &where)) {
		text_add(&escaped, target, (size_t)(at - target));
		text_addf(&escaped, "%%%02X", (unsigned)(uint8_t)*at);
		target = at + 1;
	}
	text_add(&escaped, target, (size_t)(end - target));
	*ret_len = escaped.len;
	return text_take(&escaped);
}
