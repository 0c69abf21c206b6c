/* Media types of header fields. */
#include "common/http/media_type.h"

#include "common/text.h"

#include <string.h>

bool
media_type_is_json(const struct fields *fields)
{
	struct field type;

	if (!fields_find(fields, "Content-Type", &type))
		return false;
	size_t len = 0;
	while (len < type.value_len && !strchr("; \t", type.value[len]))
		len++;
	return text_equal_nocase(type.value, len, "application/json") ||
	       (len > 5 && text_equal_nocase(type.value + len - 5, 5, "+json"));
}
