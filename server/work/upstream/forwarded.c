/*
 * Who called, as an upstream is to know it.
 *
 * Many servers treat '-' and '_' in field names alike (CGI, WSGI).  A field that is removed is therefore removed in
 * both spellings.
 */
#include "work/upstream/forwarded.h"

#include "common/cleanup.h"
#include "common/text.h"
#include "work/work.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Beside everything that begins with "X-Forwarded-". */
static const char *const others[] = {"Forwarded", "X-Real-IP", "X-Client-IP", "True-Client-IP"};

#define PREFIX "X-Forwarded-"

int
trusted_proxies_init(struct trusted_proxies *proxies, char *const *names)
{
	struct trusted_proxies made = {0};
	size_t count = 0;
	int rc = 0;

	while (names && names[count])
		count++;
	made.networks = xcalloc(count + 1, sizeof *made.networks);
	for (size_t i = 0; i < count && rc == 0; i++) {
		if (strcmp(names[i], "unix") == 0)
			made.unix_sockets = true;
		else
			rc = network_parse(names[i], &made.networks[made.count++]);
	}
	if (rc < 0)
		free(made.networks);
	else
		*proxies = made;
	return rc;
}

void
trusted_proxies_fini(struct trusted_proxies *proxies)
{
	free(proxies->networks);
	*proxies = (struct trusted_proxies){0};
}

static bool
is_trusted(const struct trusted_proxies *proxies, const char *address)
{
	if (!address || *address == '\0')
		return proxies->unix_sockets;
	for (size_t i = 0; i < proxies->count; i++)
		if (network_has(&proxies->networks[i], address))
			return true;
	return false;
}

static char
fold(char c)
{
	return c == '_' ? '-' : c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Whether the first len characters are the same in either spelling. */
static bool
begins_with(const struct field *field, const char *name, size_t len)
{
	if (field->name_len < len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (fold(field->name[i]) != fold(name[i]))
			return false;
	return true;
}

static bool
is_named(const struct field *field, const void *name)
{
	return field->name_len == strlen(name) && begins_with(field, name, field->name_len);
}

static bool
tells_who_called(const struct field *field)
{
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (is_named(field, others[i]))
			return true;
	return begins_with(field, PREFIX, strlen(PREFIX));
}

/* A trusted proxy's fields are kept in their own spelling alone. */
static bool
is_dropped(const struct field *field, const void *trusted)
{
	return tells_who_called(field) && (!trusted || memchr(field->name, '_', field->name_len));
}

static void
add_quoted(struct text *text, const char *value)
{
	text_add_char(text, '"');
	while (*value) {
		size_t plain = strcspn(value, "\"\\");
		text_add(text, value, plain);
		value += plain;
		if (*value) {
			text_add_char(text, '\\');
			text_add_char(text, *value++);
		}
	}
	text_add_char(text, '"');
}

/* A node of RFC 7239, 6: an IPv6 address stands in brackets and quotes; a unix socket has no address. */
static void
add_node(struct text *text, const char *address)
{
	if (!address || *address == '\0')
		text_add_string(text, "unknown");
	else if (strchr(address, ':'))
		text_addf(text, "\"[%s]\"", address);
	else
		text_add_string(text, address);
}

/* One more element behind those of the proxies before us. */
static void
put_forwarded(const struct work_input *input, struct fields *fields)
{
	CLEANUP(text_fini) struct text element = {0};

	text_add_string(&element, "for=");
	add_node(&element, input->remote_address);
	if (input->authority && *input->authority) {
		text_add_string(&element, ";host=");
		add_quoted(&element, input->authority);
	}
	text_add_string(&element, ";proto=");
	text_add_string(&element, input->scheme);
	fields_put(fields, "Forwarded", element.data);
}

/* The addresses that the proxies before us have seen, and our peer's behind them, in one field. */
static void
put_addresses(const struct work_input *input, struct fields *fields)
{
	static const struct field_name name = FIELD_NAME(PREFIX "For");
	CLEANUP(text_fini) struct text list = {0};
	const char *address = input->remote_address;

	fields_for_each(field, fields) {
		if (!field_is_one_of(&field, &name, 1) || field.value_len == 0)
			continue;
		text_add(&list, field.value, field.value_len);
		text_add_string(&list, ", ");
	}
	text_add_string(&list, address && *address ? address : "unknown");
	fields_remove(fields, name.text);
	fields_put(fields, name.text, list.data);
}

static void
put_if_absent(const char *name, const char *value, struct fields *fields)
{
	struct field field;

	if (value && *value && !fields_find(fields, name, &field))
		fields_put(fields, name, value);
}

void
forwarded_put(const struct trusted_proxies *proxies, const struct work_input *input, struct fields *fields)
{
	fields_remove_if(fields, is_dropped, is_trusted(proxies, input->remote_address) ? proxies : NULL);
	put_forwarded(input, fields);
	put_addresses(input, fields);
	put_if_absent(PREFIX "Proto", input->scheme, fields);
	put_if_absent(PREFIX "Host", input->authority, fields);
}

/* A field's value has no blanks at its ends: a principal that has any would become another one. */
static bool
is_value(const char *principal)
{
	size_t len = strlen(principal);

	return len > 0 && !strchr(" \t", principal[0]) && !strchr(" \t", principal[len - 1]);
}

void
forwarded_put_principal(const char *name, const struct work_input *input, struct fields *fields)
{
	fields_remove_if(fields, is_named, name);
	if (!input->principal || !is_value(input->principal))
		return;
	/* A principal with control characters is not sent. */
	int rc = fields_add(fields, name, input->principal);
	(void)rc;
}
