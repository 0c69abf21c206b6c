/* The Prefer header field: its parser, and what it says of a request. */
#include "calls/call/preference.h"

#include "common/text.h"
#include "http/message/request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* One preference: its name and its value, which may have been quoted. */
struct preference {
	const char *name;
	size_t name_len;
	char value[64]; /* longer ones are of no preference that we know */
	size_t value_len;
	bool too_long;
};

static const char *
skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

static void
add_to_value(struct preference *preference, char c)
{
	if (preference->value_len < sizeof preference->value - 1)
		preference->value[preference->value_len++] = c;
	else
		preference->too_long = true;
}

static const char *
read_quoted(const char *at, struct preference *preference)
{
	for (at++; *at && *at != '"'; at++) {
		if (*at == '\\' && at[1])
			at++;
		add_to_value(preference, *at);
	}
	return *at ? at + 1 : at;
}

static const char *
read_value(const char *at, struct preference *preference)
{
	at = skip_blanks(at);
	if (*at == '"')
		return read_quoted(at, preference);
	while (*at && !strchr(",; \t", *at))
		add_to_value(preference, *at++);
	return at;
}

/* Over parameters and whatever else stands before the next comma, quoted strings as a whole. */
static const char *
skip_rest(const char *at)
{
	struct preference ignored = {0};

	while (*at && *at != ',')
		at = *at == '"' ? read_quoted(at, &ignored) : at + 1;
	return at;
}

static const char *
read_preference(const char *at, struct preference *ret_preference)
{
	memset(ret_preference, 0, sizeof *ret_preference);
	at += strspn(at, " \t,");
	ret_preference->name = at;
	ret_preference->name_len = strcspn(at, "=;, \t\"");
	at = skip_blanks(at + ret_preference->name_len);
	if (*at == '=')
		at = read_value(at + 1, ret_preference);
	ret_preference->value[ret_preference->value_len] = '\0';
	/* Text that belongs to neither name nor value spoils the preference. */
	at = skip_blanks(at);
	if (*at && *at != ',' && *at != ';')
		ret_preference->name_len = 0;
	return skip_rest(at);
}

static void
take_wait(struct preferences *preferences, const struct preference *preference, bool milliseconds)
{
	uint64_t value = 0;
	int rc;

	if (preferences->seen_wait)
		return;
	preferences->seen_wait = true;
	preferences->is_bare = !milliseconds && preference->value_len == 0;
	rc = text_parse_uint(preference->value, preference->value_len, INT64_MAX / 2000, &value);
	if (rc == -EINVAL || preference->value_len > 30)
		return;
	if (rc == -ERANGE)
		value = INT64_MAX / 2000;
	preferences->has_wait = true;
	preferences->wait_ms = (int64_t)(milliseconds ? value : value * 1000);
	snprintf(preferences->wait, sizeof preferences->wait, "%s=%s", milliseconds ? "wait-ms" : "wait",
		preference->value);
}

static void
take(struct preferences *preferences, const struct preference *preference)
{
	if (text_equal_nocase(preference->name, preference->name_len, "respond-async")) {
		if (!preferences->seen_async)
			preferences->respond_async = preference->value_len == 0;
		preferences->seen_async = true;
	} else if (text_equal_nocase(preference->name, preference->name_len, "wait")) {
		take_wait(preferences, preference, false);
	} else if (text_equal_nocase(preference->name, preference->name_len, "wait-ms")) {
		take_wait(preferences, preference, true);
	}
}

void
preferences_parse(struct preferences *preferences, const char *line)
{
	struct preference preference;

	while (*line) {
		line = read_preference(line, &preference);
		take(preferences, &preference);
	}
}

static void
take_line(const char *value, void *arg)
{
	preferences_parse(arg, value);
}

void
preferences_read(struct preferences *ret_preferences, const struct http_request *request)
{
	*ret_preferences = (struct preferences){0};
	if (http_request_field(request, "Prefer"))
		http_request_each_field(request, "Prefer", take_line, ret_preferences);
}

int64_t
preferences_wait_ms(const struct preferences *preferences, int64_t max_ms)
{
	if (!preferences->has_wait || preferences->wait_ms <= 0)
		return 0;
	return preferences->wait_ms < max_ms ? preferences->wait_ms : max_ms;
}
