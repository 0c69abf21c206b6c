/* Fuzzes Idempotency-Key: what is taken is 1 to 255 visible characters or spaces, and quoted anew it is the
 * same key. */
#include "common/cleanup.h"
#include "common/text.h"
#include "operations/idempotency.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
assert_means(const char *value, const char *meant)
{
	char key[IDEMPOTENCY_KEY_SIZE];
	int rc = idempotency_key_parse(value, key);

	assert(rc == 0 && strcmp(key, meant) == 0);
}

/* The key as a String (RFC 8941, 3.3.3). */
static void
check_quoted(const char *key)
{
	CLEANUP(text_fini) struct text quoted = {0};

	text_add_char(&quoted, '"');
	for (const char *c = key; *c; c++)
		text_addf(&quoted, "%s%c", *c == '"' || *c == '\\' ? "\\" : "", *c);
	text_add_char(&quoted, '"');
	assert_means(quoted.data, key);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_FREE char *value = xstrndup((const char *)data, size);
	char key[IDEMPOTENCY_KEY_SIZE];

	memset(key, 1, sizeof key);
	int rc = idempotency_key_parse(value, key);
	if (rc < 0) {
		assert(rc == -EINVAL && key[0] == 1);
		return 0;
	}
	assert(memchr(key, '\0', sizeof key) && key[0] != '\0');
	for (const char *c = key; *c; c++)
		assert(*c >= 0x20 && *c <= 0x7e);
	check_quoted(key);
	if (value[0] != '"')
		assert(strcmp(key, value) == 0);
	return 0;
}
