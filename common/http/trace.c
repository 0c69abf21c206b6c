/* Trace context (W3C): reads, continues and starts traceparent. */
#include "common/http/trace.h"

#include "common/id.h"

#include <string.h>

#define LEN (TRACEPARENT_SIZE - 1)

/* Whether the len characters are lower-case hexadecimal digits, not all of them zero unless that is
 * allowed. */
static bool
is_hex(const char *at, size_t len, bool zero_allowed)
{
	bool is_zero = true;

	for (size_t i = 0; i < len; i++) {
		if (!(at[i] >= '0' && at[i] <= '9') && !(at[i] >= 'a' && at[i] <= 'f'))
			return false;
		is_zero = is_zero && at[i] == '0';
	}
	return zero_allowed || !is_zero;
}

bool
trace_is_valid(const char *value)
{
	if (strnlen(value, LEN) < LEN || value[2] != '-' || value[35] != '-' || value[52] != '-')
		return false;
	if (!is_hex(value, 2, true) || !is_hex(value + 3, 32, false) || !is_hex(value + 36, 16, false) ||
		!is_hex(value + 53, 2, true))
		return false;
	if (strncmp(value, "ff", 2) == 0)
		return false;
	return strncmp(value, "00", 2) == 0 ? value[LEN] == '\0' : value[LEN] == '\0' || value[LEN] == '-';
}

void
trace_make(char ret_value[static TRACEPARENT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char random[24];

	random_bytes(random, sizeof random);
	random[0] |= 1; /* neither id may be all zero */
	random[16] |= 1;
	char *at = stpcpy(ret_value, "00-");
	for (size_t i = 0; i < sizeof random; i++) {
		if (i == 16)
			*at++ = '-';
		*at++ = digits[random[i] >> 4];
		*at++ = digits[random[i] & 15];
	}
	strcpy(at, "-01");
}
