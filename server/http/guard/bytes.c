/* The wire guard's classes of bytes, as a table made by the preprocessor. */
#include "http/guard/private.h"

#define IS_ALPHA(c) (((c) | 0x20) >= 'a' && ((c) | 0x20) <= 'z')
#define IS_DIGIT(c) ((c) >= '0' && (c) <= '9')
#define IS_HEX(c) (IS_DIGIT(c) || (((c) | 0x20) >= 'a' && ((c) | 0x20) <= 'f'))
#define IS_BLANK(c) ((c) == ' ' || (c) == '\t')
#define IS_VALUE(c) (((c) >= ' ' && (c) != 0x7f) || (c) == '\t')
#define IS_SUB_DELIM(c) \
	((c) == '!' || (c) == '$' || (c) == '&' || (c) == '\'' || (c) == '(' || (c) == ')' || (c) == '*' || \
		(c) == '+' || (c) == ',' || (c) == ';' || (c) == '=')
#define IS_UNRESERVED(c) (IS_ALPHA(c) || IS_DIGIT(c) || (c) == '-' || (c) == '.' || (c) == '_' || (c) == '~')
#define IS_TOKEN(c) \
	(IS_ALPHA(c) || IS_DIGIT(c) || (c) == '!' || ((c) >= '#' && (c) <= '\'') || (c) == '*' || \
		(c) == '+' || (c) == '-' || (c) == '.' || (c) == '^' || (c) == '_' || (c) == '`' || \
		(c) == '|' || (c) == '~')
#define IS_HOST(c) (IS_UNRESERVED(c) || IS_SUB_DELIM(c))
#define IS_PATH(c) \
	((IS_HOST(c) && (c) != '.') || (c) == ':' || (c) == '@' || (c) == '[' || (c) == ']' || (c) == '^' || \
		(c) == '|')
#define IS_QUERY(c) \
	(IS_HOST(c) || IS_PATH(c) || (c) == '/' || (c) == '?' || (c) == '\\' || (c) == '`' || (c) == '{' || \
		(c) == '}')

#define BYTE(c) \
	(IS_TOKEN(c) * BYTE_TOKEN | IS_VALUE(c) * BYTE_VALUE | IS_BLANK(c) * BYTE_BLANK | \
		IS_DIGIT(c) * BYTE_DIGIT | IS_HEX(c) * BYTE_HEX | IS_PATH(c) * BYTE_PATH | \
		IS_QUERY(c) * BYTE_QUERY | IS_HOST(c) * BYTE_HOST)
#define BYTES4(c) BYTE(c), BYTE((c) + 1), BYTE((c) + 2), BYTE((c) + 3)
#define BYTES16(c) BYTES4(c), BYTES4((c) + 4), BYTES4((c) + 8), BYTES4((c) + 12)
#define BYTES64(c) BYTES16(c), BYTES16((c) + 16), BYTES16((c) + 32), BYTES16((c) + 48)

const uint8_t guard_bytes[256] = {BYTES64(0), BYTES64(64), BYTES64(128), BYTES64(192)};
