/* Fields of one connection: see hop_fields.h. */
#include "work/hop_fields.h"

#include "common/cleanup.h"
#include "common/text.h"

#include <string.h>

static const char *const known[] = {"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate",
	"Proxy-Authorization", "Proxy-Authentication-Info", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
	"HTTP2-Settings"};

/* Removes the fields that a list of names has. */
static void
remove_named(struct fields *fields, const char *list)
{
	while (*list) {
		list += strspn(list, " \t,");
		size_t len = strcspn(list, " \t,");
		if (len > 0) {
			CLEANUP_FREE char *name = xstrndup(list, len);
			fields_remove(fields, name);
		}
		list += len;
	}
}

/* The values of all Connection fields as one list. */
static void
add_connection(const struct fields *fields, struct text *ret_list)
{
	fields_for_each(field, fields) {
		if (!text_equal_nocase(field.name, field.name_len, "Connection"))
			continue;
		text_add(ret_list, field.value, field.value_len);
		text_add_char(ret_list, ',');
	}
}

void
hop_fields_remove(struct fields *fields)
{
	struct text named = {0};

	add_connection(fields, &named);
	if (named.len > 0)
		remove_named(fields, named.data);
	text_fini(&named);
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		fields_remove(fields, known[i]);
}
