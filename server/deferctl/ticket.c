/*
 * Tickets: where an answer says that its operation can be polled, in whatever style.  The ways are tried in the order of
 * the table: one whose monitor answers the final response as it is comes before one that wraps it.
 */
#include "deferctl/ticket.h"

#include "common/cleanup.h"
#include "common/json/json.h"
#include "common/text.h"
#include "deferctl/target.h"

#include <string.h>

static bool
take(struct ticket *ticket, enum monitor_kind kind, const char *url, const char *reference)
{
	char *monitor = reference ? target_resolve(url, reference) : NULL;

	if (!monitor)
		return false;
	ticket->kind = kind;
	ticket->url = monitor;
	return true;
}

/* The target of the first link of value whose rel is monitor (RFC 8288); NULL: none. */
static char *
find_monitor_link(const char *value)
{
	for (const char *at = strchr(value, '<'); at; at = strchr(at, '<')) {
		const char *end = strchr(at, '>');
		if (!end)
			return NULL;
		size_t len = strcspn(end, "<");
		CLEANUP_FREE char *rest = xstrndup(end, len);
		const char *rel = strcasestr(rest, "rel=");
		if (rel && strncasecmp(rel + 4 + (rel[4] == '"'), "monitor", 7) == 0)
			return xstrndup(at + 1, (size_t)(end - at - 1));
		at = end + len;
	}
	return NULL;
}

static bool
read_link(const char *url, const struct fields *fields, struct json_object *body, struct ticket *ticket)
{
	fields_for_each(field, fields) {
		if (!text_equal_nocase(field.name, field.name_len, "Link"))
			continue;
		CLEANUP_FREE char *value = xstrndup(field.value, field.value_len);
		CLEANUP_FREE char *link = find_monitor_link(value);
		if (take(ticket, MONITOR_PLAIN, url, link))
			return true;
	}
	return false;
}

static bool
read_content_location(
	const char *url, const struct fields *fields, struct json_object *body, struct ticket *ticket)
{
	CLEANUP_FREE char *value = fields_dup_value(fields, "Content-Location");

	return take(ticket, MONITOR_PLAIN, url, value);
}

static bool
read_guidewire(const char *url, const struct fields *fields, struct json_object *body, struct ticket *ticket)
{
	CLEANUP_FREE char *value = fields_dup_value(fields, "GW-Async-Location");
	CLEANUP_FREE char *response = value ? xasprintf("%s/response", value) : NULL;

	return take(ticket, MONITOR_PLAIN, url, response);
}

static bool
read_azure(const char *url, const struct fields *fields, struct json_object *body, struct ticket *ticket)
{
	CLEANUP_FREE char *value = fields_dup_value(fields, "Operation-Location");
	CLEANUP_FREE char *older = fields_dup_value(fields, "Azure-AsyncOperation");
	CLEANUP_FREE char *location = fields_dup_value(fields, "Location");

	if (!take(ticket, MONITOR_STATUS, url, value ? value : older))
		return false;
	ticket->result = location ? target_resolve(url, location) : NULL;
	return true;
}

static const char *
find_string(struct json_object *body, const char *outer, const char *inner)
{
	struct json_object *value =
		inner ? json_find(body, outer, inner, NULL) : json_find(body, outer, NULL);

	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

static bool
read_token(const char *url, const struct fields *fields, struct json_object *body, struct ticket *ticket)
{
	const char *token = find_string(body, "asyncOperation", "token");

	if (!token || strspn(token, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.") !=
			      strlen(token))
		return false;
	size_t len = strcspn(url, "?");
	while (len > 0 && url[len - 1] == '/')
		len--;
	CLEANUP_FREE char *poll = xasprintf("%.*s/poll?asyncOperationToken=%s", (int)len, url, token);
	return take(ticket, MONITOR_TOKEN, url, poll);
}

static bool
read_location(const char *url, const struct fields *fields, struct json_object *body, struct ticket *ticket)
{
	CLEANUP_FREE char *value = fields_dup_value(fields, "Location");
	bool is_status = find_string(body, "operationId", NULL) || json_find(body, "operationId", NULL);

	return take(ticket, is_status ? MONITOR_STATUS : MONITOR_PLAIN, url, value);
}

/* A prediction that has not ended. */
static bool
read_prediction(const char *url, const struct fields *fields, struct json_object *body, struct ticket *ticket)
{
	const char *status = find_string(body, "status", NULL);

	if (!status || (strcmp(status, "starting") != 0 && strcmp(status, "processing") != 0))
		return false;
	return read_content_location(url, fields, body, ticket) ||
	       take(ticket, MONITOR_STATUS, url, find_string(body, "urls", "get"));
}

static bool
read_long_running(
	const char *url, const struct fields *fields, struct json_object *body, struct ticket *ticket)
{
	const char *name = find_string(body, "name", NULL);
	struct json_object *done = json_find(body, "done", NULL);

	if (!name || strncmp(name, "operations/", 11) != 0 || json_object_get_boolean(done))
		return false;
	CLEANUP_FREE char *path = xasprintf("/v1/%s", name);
	return read_content_location(url, fields, body, ticket) ||
	       take(ticket, MONITOR_LONG_RUNNING, url, path);
}

/* Where tickets may be, by the status of the answer. */
static const struct {
	long first, last;
	bool (*read)(const char *url, const struct fields *fields, struct json_object *body,
		struct ticket *ticket);
} ways[] = {
	{202, 202, read_link},
	{202, 202, read_content_location},
	{202, 202, read_guidewire},
	{200, 202, read_azure},
	{202, 202, read_token},
	{202, 202, read_location},
	{200, 202, read_prediction},
	{200, 200, read_long_running},
};

bool
ticket_read(const char *url, long status, const struct fields *fields, struct json_object *body,
	struct ticket *ret_ticket)
{
	struct ticket ticket = {0};

	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		if (status < ways[i].first || status > ways[i].last ||
			!ways[i].read(url, fields, body, &ticket))
			continue;
		*ret_ticket = ticket;
		return true;
	}
	return false;
}

void
ticket_of_url(const char *url, struct ticket *ret_ticket)
{
	static const struct {
		const char *part, *suffix;
		enum monitor_kind kind;
	} shapes[] = {
		{"/async/v1/requests/", "/response", MONITOR_PLAIN},
		{"/operationStatus/", "", MONITOR_STATUS},
		{"/azure/operations/", "", MONITOR_STATUS},
		{"/v1/operations/", "", MONITOR_LONG_RUNNING},
		{"asyncOperationToken=", "", MONITOR_TOKEN},
	};

	*ret_ticket = (struct ticket){.kind = MONITOR_PLAIN};
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes && !ret_ticket->url; i++) {
		if (!strstr(url, shapes[i].part))
			continue;
		size_t len = strlen(url), end = strlen(shapes[i].suffix);
		bool has_suffix = len >= end && strcmp(url + len - end, shapes[i].suffix) == 0;
		ret_ticket->kind = shapes[i].kind;
		ret_ticket->url = xasprintf("%s%s", url, has_suffix ? "" : shapes[i].suffix);
	}
	if (!ret_ticket->url)
		ret_ticket->url = xstrdup(url);
}

void
ticket_fini(struct ticket *ticket)
{
	free(ticket->url);
	free(ticket->result);
	*ticket = (struct ticket){0};
}
