/* Upstreams in the configuration: their table of settings. */
#include "common/http/fields.h"
#include "common/json/json.h"
#include "config/files.h"
#include "config/private.h"
#include "config/values.h"

#include <stdlib.h>
#include <string.h>

#define UPSTREAM(kind, member) SETTING_PLACE(kind, struct upstream_config, member)

/* Header fields that libcurl sets for framing and routing. */
static const char *const not_settable[] = {
	"Connection", "Content-Length", "Expect", "Host", "TE", "Trailer", "Transfer-Encoding", "Upgrade"};

static bool
is_settable(const char *name)
{
	for (size_t i = 0; i < sizeof not_settable / sizeof *not_settable; i++)
		if (text_equal_nocase(name, strlen(name), not_settable[i]))
			return false;
	return true;
}

/* Returns "Name: value" for a member of headers (malloc'ed), or reports a mistake and returns NULL. */
static char *
read_header(struct settings *settings, const char *name, struct json_object *value)
{
	const char *string = settings_string(settings, value, true);
	struct fields fields = {0};

	if (!text_is_token(name, strlen(name)))
		mistakes_add(&settings->mistakes, "is not the name of a header field");
	else if (!is_settable(name))
		mistakes_add(&settings->mistakes, "is a field that the connection sets itself");
	else if (string && fields_add(&fields, name, string) < 0)
		mistakes_add(&settings->mistakes, "has control characters");
	else if (string) {
		fields_fini(&fields);
		return xasprintf("%s: %s", name, string);
	}
	return NULL;
}

static void
read_headers(struct settings *settings, struct json_object *value, void *owner)
{
	struct upstream_config *upstream = owner;
	size_t count = 0;

	if (!json_object_is_type(value, json_type_object)) {
		mistakes_add_value(&settings->mistakes, value, "is not an object");
		return;
	}
	upstream->headers = xcalloc((size_t)json_object_object_length(value) + 1, sizeof *upstream->headers);
	json_object_object_foreach(value, name, member)
	{
		size_t mark = mistakes_enter(&settings->mistakes, name);
		char *header = read_header(settings, name, member);
		if (header)
			upstream->headers[count++] = header;
		mistakes_leave(&settings->mistakes, mark);
	}
}

static void
free_headers(void *owner)
{
	struct upstream_config *upstream = owner;

	for (char **header = upstream->headers; header && *header; header++)
		free(*header);
	free(upstream->headers);
	upstream->headers = NULL;
}

static const struct setting retry_rows[] = {
	{.name = "times",
		SETTING_PLACE(SETTING_WHOLE, struct retry_config, times),
		.fallback = "3",
		.min = 0,
		.max = 100,
		.meaning = "The most retries of a call."},
	{.name = "for",
		SETTING_PLACE(SETTING_TIME, struct retry_config, for_ms),
		.fallback = "\"30s\"",
		.min = 1,
		.max = CONFIG_DAY_MS,
		.meaning = "How long after its start a call may be retried; the server does not wait for a "
			   "Retry-After beyond that."},
	{.name = NULL},
};

static const struct setting_table retry_table = {retry_rows, NULL};

static const struct setting breaker_rows[] = {
	{.name = "failures",
		SETTING_PLACE(SETTING_WHOLE, struct breaker_config, failures),
		.fallback = "10",
		.min = 0,
		.max = 1000000,
		.meaning = "The number of consecutive failures after which calls are refused with 503; 0: "
			   "never."},
	{.name = "pause",
		SETTING_PLACE(SETTING_TIME, struct breaker_config, pause_ms),
		.fallback = "\"5s\"",
		.min = 1,
		.max = CONFIG_DAY_MS,
		.meaning = "How long calls are refused before one call tries the upstream again."},
	{.name = NULL},
};

static const struct setting_table breaker_table = {breaker_rows, NULL};

static char *
convert_principal_header(struct settings *settings, const char *name)
{
	if (text_is_token(name, strlen(name)) && is_settable(name))
		return xstrdup(name);
	mistakes_add_string(&settings->mistakes, name, "is not the name of a field that can be set");
	return NULL;
}

static const struct setting upstream_rows[] = {
	{.name = "url",
		UPSTREAM(SETTING_STRING, url),
		.is_required = true,
		.convert = config_convert_url,
		.type = "URL",
		.meaning = "The server that calls are forwarded to; a path in the URL replaces the literal "
			   "beginning of the route's path."},
	{.name = "ca",
		UPSTREAM(SETTING_STRING, ca_file),
		.convert = config_convert_file,
		.type = "file",
		.fallback_note = "the system's",
		.meaning = "CA certificates (PEM) that an https upstream's certificate is verified against."},
	{.name = "headers",
		.kind = SETTING_OWN,
		.read = read_headers,
		.free = free_headers,
		.type = "object of strings",
		.fallback_note = "none",
		.meaning = "Header fields to send with every call, such as credentials; they replace the "
			   "client's fields of the same name."},
	{.name = "forward_credentials",
		UPSTREAM(SETTING_BOOLEAN, forward_credentials),
		.fallback = "false",
		.meaning = "Whether the client's Authorization and Cookie are forwarded."},
	{.name = "pass_idempotency_key",
		UPSTREAM(SETTING_BOOLEAN, pass_idempotency_key),
		.fallback = "false",
		.meaning = "Whether Idempotency-Key is forwarded; a call that has one may then be retried, "
			   "whatever its method."},
	{.name = "principal_header",
		UPSTREAM(SETTING_STRING, principal_header),
		.convert = convert_principal_header,
		.type = "name of a field",
		.fallback_note = "none",
		.meaning = "The header field that names the caller (\"X-Remote-User\"); a field of that name "
			   "that a client sends is removed, also if it has _ in place of -."},
	{.name = "connect_timeout",
		UPSTREAM(SETTING_TIME, connect_timeout_ms),
		.fallback = "\"10s\"",
		.min = 1,
		.max = CONFIG_HOUR_MS,
		.meaning = "The longest time to connect, TLS included."},
	{.name = "timeout",
		UPSTREAM(SETTING_TIME, timeout_ms),
		.min = 1,
		.max = 30 * CONFIG_DAY_MS,
		.fallback_note = "as long as the call may run",
		.meaning = "The longest time for one attempt, from connecting to the end of the response."},
	{.name = "stall_timeout",
		UPSTREAM(SETTING_TIME, stall_timeout_ms),
		.fallback = "\"60s\"",
		.min = 1,
		.max = CONFIG_DAY_MS,
		.meaning = "The longest pause within a response."},
	{.name = "retry",
		UPSTREAM(SETTING_OBJECT, retry),
		.members = &retry_table,
		.fallback_note = "no retries",
		.meaning = "Enables retries. A call that could not be sent is always retried; one that was "
			   "lost or answered with 429 or 503 only if a repetition does no harm (an "
			   "idempotent method, rerun, or a forwarded key)."},
	{.name = "breaker",
		UPSTREAM(SETTING_OBJECT, breaker),
		.members = &breaker_table,
		.fallback = "{}",
		.meaning = "Stops calling an upstream that fails repeatedly."},
	{.name = NULL},
};

const struct setting_table config_upstream_table = {upstream_rows, NULL};
