/* Fuzzes the files that say who may log in, and the field that says who does: what is taken is sound, and
 * what is refused has a reason. */
#include "common/text.h"
#include "http/login/credentials.h"
#include "http/login/files.h"
#include "http/login/users.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
on_mistake(void *arg, size_t line, const char *why)
{
	size_t *count = arg;

	assert(line > 0 && why[0] != '\0');
	++*count;
}

/* Whatever stands in a line that is taken, its hash is of a kind that is not weak. */
static void
check_line(const char *line, size_t len)
{
	struct htpasswd_line parsed = {0};
	const char *why = NULL;

	if (htpasswd_parse_line(line, len, &parsed, &why) < 0) {
		assert(!parsed.name);
		return;
	}
	assert(!why && parsed.name_len > 0 && !memchr(parsed.name, '\0', parsed.name_len));
	assert(parsed.hash_len > 40 && parsed.hash[0] == '$' && strchr("2567gy", parsed.hash[1]));
	assert(!memchr(parsed.hash, '\0', parsed.hash_len) && !memchr(parsed.hash, ':', parsed.hash_len));
}

static void
check_field(const char *field)
{
	struct credentials credentials = {0};

	if (credentials_parse(field, &credentials) < 0) {
		assert(!credentials.name && !credentials.secret);
		return;
	}
	assert((credentials.scheme == CREDENTIALS_BASIC) == (credentials.name != NULL));
	assert(strlen(credentials.secret) <= strlen(field));
	assert(!credentials.name || !strchr(credentials.name, ':'));
	credentials_fini(&credentials);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct users *users = users_new();
	size_t passwords = 0, tokens = 0;
	char *text = xstrndup((const char *)data, size);

	int rc = users_add_htpasswd(users, (const char *)data, size, on_mistake, &passwords);
	assert((rc < 0) == (passwords > 0));
	rc = users_add_tokens(users, (const char *)data, size, on_mistake, &tokens);
	assert((rc < 0) == (tokens > 0));
	assert(users_any_hash(users)[0] == '$');
	users_find_hash(users, text);
	users_find_bearer(users, text);
	check_line((const char *)data, size);
	check_field(text);
	free(text);
	users_unref(users);
	return 0;
}
