/* Fields of one connection. */
#include "work/upstream/hop_fields.h"

#include "common/text.h"

#include <string.h>

static const struct field_name known[] = {FIELD_NAME("Connection"), FIELD_NAME("Keep-Alive"),
	FIELD_NAME("Proxy-Connection"), FIELD_NAME("Proxy-Authenticate"), FIELD_NAME("Proxy-Authorization"),
	FIELD_NAME("Proxy-Authentication-Info"), FIELD_NAME("TE"), FIELD_NAME("Trailer"),
	FIELD_NAME("Transfer-Encoding"), FIELD_NAME("Upgrade"), FIELD_NAME("HTTP2-Settings")};

static const struct field_name connection = FIELD_NAME("Connection");

/* The fields to remove. */
struct unwanted {
	struct text named; /* by Connection: a list of names; empty: none */
	bool (*is_unwanted)(const struct field *field, const void *arg);
	const void *arg;
};

static bool
is_in_list(const struct field *field, const char *list)
{
	while (*list) {
		list += strspn(list, " \t,");
		size_t len = strcspn(list, " \t,");
		struct field_name name = {list, len};
		if (len > 0 && field_is_one_of(field, &name, 1))
			return true;
		list += len;
	}
	return false;
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
is_removed(const struct field *field, const void *arg)
{
	const struct unwanted *unwanted = arg;

	return field_is_one_of(field, known, sizeof known / sizeof *known) ||
	       (unwanted->named.len > 0 && is_in_list(field, unwanted->named.data)) ||
	       (unwanted->is_unwanted && unwanted->is_unwanted(field, unwanted->arg));
}

void
hop_fields_remove(struct fields *fields, bool (*is_unwanted)(const struct field *field, const void *arg),
	const void *arg)
{
	struct unwanted unwanted = {.is_unwanted = is_unwanted, .arg = arg};

	add_connection(fields, &unwanted.named);
	fields_remove_if(fields, is_removed, &unwanted);
	text_fini(&unwanted.named);
}
