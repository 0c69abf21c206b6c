/* The request to an upstream. */
#include "work/upstream/request.h"

#include "common/cleanup.h"
#include "common/http/trace.h"
#include "common/text.h"
#include "work/upstream/forwarded.h"
#include "work/upstream/hop_fields.h"
#include "work/work.h"

#include <string.h>

/* They say how the message is framed or where it goes, which the transfer does anew, or are for deferd
 * alone. */
static const struct field_name never_sent[] = {
	FIELD_NAME("Host"), FIELD_NAME("Content-Length"), FIELD_NAME("Expect"), FIELD_NAME("Prefer")};

static const struct field_name credentials[] = {FIELD_NAME("Authorization"), FIELD_NAME("Cookie")};

static const struct field_name idempotency_key = FIELD_NAME("Idempotency-Key");

static const char *const idempotent_methods[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"};

bool
upstream_request_is_idempotent(const char *method)
{
	for (size_t i = 0; i < sizeof idempotent_methods / sizeof *idempotent_methods; i++)
		if (strcmp(method, idempotent_methods[i]) == 0)
			return true;
	return false;
}

/* A trace is passed on as it came, or, where it cannot be read, not at all. */
static void
check_trace(struct fields *fields)
{
	CLEANUP_FREE char *parent = fields_dup_value(fields, "traceparent");

	if (parent && trace_is_valid(parent))
		return;
	fields_remove(fields, "traceparent");
	fields_remove(fields, "tracestate");
}

static void
put_own(const struct fields *own, struct fields *fields)
{
	fields_for_each(field, own) {
		CLEANUP_FREE char *name = xstrndup(field.name, field.name_len);
		CLEANUP_FREE char *value = xstrndup(field.value, field.value_len);
		fields_remove(fields, name);
		fields_put(fields, name, value);
	}
}

/* Whether a comma-separated list of "1.1 name (comment)" has the name. */
static bool
has_name(const char *list, size_t len, const char *name)
{
	const char *end = list + len, *at = list;
	size_t name_len = strlen(name);

	while ((at = memmem(at, (size_t)(end - at), name, name_len))) {
		bool begins = at > list && strchr(" \t", at[-1]);
		at += name_len;
		if (begins && (at == end || strchr(" \t,", *at)))
			return true;
	}
	return false;
}

bool
upstream_request_has_passed(const struct fields *fields, const char *name)
{
	static const struct field_name via = FIELD_NAME("Via");

	fields_for_each(field, fields)
		if (field_is_one_of(&field, &via, 1) && has_name(field.value, field.value_len, name))
			return true;
	return false;
}

static bool
is_not_sent(const struct field *field, const void *arg)
{
	const struct upstream_request_rules *rules = arg;

	return field_is_one_of(field, never_sent, sizeof never_sent / sizeof *never_sent) ||
	       (!rules->forward_credentials &&
		       field_is_one_of(field, credentials, sizeof credentials / sizeof *credentials)) ||
	       (!rules->pass_idempotency_key && field_is_one_of(field, &idempotency_key, 1));
}

void
upstream_request_fields(
	const struct upstream_request_rules *rules, const struct work_input *input, struct fields *ret_fields)
{
	fields_copy(ret_fields, &input->fields);
	hop_fields_remove(ret_fields, is_not_sent, rules);
	check_trace(ret_fields);
	forwarded_put(rules->trusted, input, ret_fields);
	if (rules->via)
		fields_putf(ret_fields, "Via", "1.1 %s", rules->via);
	put_own(rules->own, ret_fields);
	if (rules->principal_header)
		forwarded_put_principal(rules->principal_header, input, ret_fields);
}
