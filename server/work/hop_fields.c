/* Fields of one connection: see hop_fields.h. */
#include "work/hop_fields.h"

#include "common/cleanup.h"
#include "common/text.h"

#include <string.h>

static const struct field_name known[] = {FIELD_NAME("Connection"), FIELD_NAME("Keep-Alive"),
	FIELD_NAME("Proxy-Connection"), FIELD_NAME("Proxy-Authenticate"), FIELD_NAME("Proxy-Authorization"),
	FIELD_NAME("Proxy-Authentication-Info"), FIELD_NAME("TE"), FIELD_NAME("Trailer"),
	FIELD_NAME("Transfer-Encoding"), FIELD_NAME("Upgrade"), FIELD_NAME("HTTP2-Settings")};

static const struct field_name connection = FIELD_NAME("Connection");

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
		if (!field_is_one_of(&field, &connection, 1))
			continue;
		text_add(ret_list, field.value, field.value_len);
		text_add_char(ret_list, ',');
	}
}

static bool
is_known(const struct field *field, const void *arg)
{
	return field_is_one_of(field, known, sizeof known / sizeof *known);
}

void
hop_fields_remove(struct fields *fields)
{
	struct text named = {0};

	add_connection(fields, &named);
	if (named.len > 0)
		remove_named(fields, named.data);
	text_fini(&named);
	fields_remove_if(fields, is_known, NULL);
}
