/*
 * Fuzzes Prefer: the input is its lines.  Whatever stands there, what is honoured is sound and can be said
 * back in a header field, what came first stays, and lines are a list as they would be in one line.
 */
#include "calls/call/preference.h"
#include "common/cleanup.h"
#include "common/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct preferences *preferences)
{
	assert(preferences->seen_async || !preferences->respond_async);
	assert(preferences->seen_wait || !preferences->has_wait);
	if (!preferences->has_wait) {
		assert(preferences->wait_ms == 0 && preferences->wait[0] == '\0');
		return;
	}
	assert(preferences->wait_ms >= 0 && preferences->wait_ms <= INT64_MAX / 2);
	const char *equals = strchr(preferences->wait, '=');
	assert(equals && strspn(equals + 1, "0123456789") == strlen(equals + 1) && equals[1]);
	size_t name_len = (size_t)(equals - preferences->wait);
	assert(text_equal_nocase(preferences->wait, name_len, "wait") ||
		text_equal_nocase(preferences->wait, name_len, "wait-ms"));
}

static void
assert_equal(const struct preferences *a, const struct preferences *b)
{
	assert(a->respond_async == b->respond_async && a->seen_async == b->seen_async);
	assert(a->has_wait == b->has_wait && a->seen_wait == b->seen_wait && a->wait_ms == b->wait_ms);
	assert(strcmp(a->wait, b->wait) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_FREE char *lines = xstrndup((const char *)data, size);
	CLEANUP(text_fini) struct text joined = {0};
	struct preferences several = {0}, again, one = {0};
	bool can_be_joined = true;
	char *rest = lines, *line;

	while ((line = strsep(&rest, "\n"))) {
		preferences_parse(&several, line);
		check(&several);
		again = several;
		preferences_parse(&again, line);
		assert_equal(&several, &again);
		/* A quote that never ends would take what is joined to it for its own. */
		can_be_joined = can_be_joined && !strchr(line, '"');
		text_addf(&joined, "%s%s", joined.len ? ", " : "", line);
	}
	preferences_parse(&one, joined.data ? joined.data : "");
	check(&one);
	if (can_be_joined)
		assert_equal(&several, &one);
	return 0;
}
