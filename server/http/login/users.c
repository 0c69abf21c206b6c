/* Users, bearers and admins: reads their files, keeps them sorted and finds them. */
#include "http/login/users.h"

#include "common/text.h"
#include "http/login/files.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

/* The hash that an unknown user's password is checked against if there are no users: bcrypt of cost 10. */
static const char no_hash[] = "$2b$10$abcdefghijklmnopqrstuuT0VEM5oc1bYcQjiZ6yWF4p6qC8HeKCq";

struct user {
	char *name;
	char *hash;
	size_t line; /* of the file */
};

struct bearer {
	char *name;
	uint8_t digest[LOGIN_DIGEST_BYTES];
	size_t line;
};

struct users {
	unsigned refs;
	struct user *users; /* user_count of them, in order of their names */
	size_t user_count;
	struct bearer *bearers; /* bearer_count of them, in order of their digests */
	size_t bearer_count;
	char **admins; /* admin_count of them */
	size_t admin_count;
	bool has_passwords, has_tokens; /* there are files of them */
};

struct users *
users_new(void)
{
	struct users *users = xcalloc(1, sizeof *users);

	users->refs = 1;
	return users;
}

struct users *
users_ref(struct users *users)
{
	users->refs++;
	return users;
}

void
users_unref(struct users *users)
{
	if (!users || --users->refs > 0)
		return;
	for (size_t i = 0; i < users->user_count; i++) {
		free(users->users[i].name);
		free(users->users[i].hash);
	}
	for (size_t i = 0; i < users->bearer_count; i++)
		free(users->bearers[i].name);
	for (size_t i = 0; i < users->admin_count; i++)
		free(users->admins[i]);
	free(users->users);
	free(users->bearers);
	free(users->admins);
	free(users);
}

/* Makes room for one more element beside the count that there are. */
static void *
grow(void *elements, size_t count, size_t size)
{
	if (count & (count - 1))
		return elements;
	void *grown = reallocarray(elements, count > 0 ? count * 2 : 1, size);
	if (!grown)
		abort();
	return grown;
}

/* A file that is being read, line by line. */
struct reading {
	const char *at, *end;
	size_t line;
	users_mistake_fn on_mistake;
	void *arg;
	bool wrong;
};

static bool
next_line(struct reading *reading, const char **ret_line, size_t *ret_len)
{
	if (reading->at >= reading->end)
		return false;
	size_t left = (size_t)(reading->end - reading->at);
	const char *feed = memchr(reading->at, '\n', left);
	*ret_line = reading->at;
	*ret_len = feed ? (size_t)(feed - reading->at) : left;
	reading->at += *ret_len + 1;
	reading->line++;
	return true;
}

static void
tell(struct reading *reading, size_t line, const char *why)
{
	reading->wrong = true;
	reading->on_mistake(reading->arg, line, why);
}

static int
compare_users(const void *a, const void *b)
{
	const struct user *one = a, *other = b;
	int order = strcmp(one->name, other->name);

	return order ? order : (one->line > other->line) - (one->line < other->line);
}

int
users_add_htpasswd(struct users *users, const char *data, size_t len, users_mistake_fn on_mistake, void *arg)
{
	struct reading reading = {.at = data, .end = data + len, .on_mistake = on_mistake, .arg = arg};
	struct htpasswd_line parsed;
	const char *line, *why;
	size_t line_len;

	users->has_passwords = true;
	while (next_line(&reading, &line, &line_len)) {
		int rc = htpasswd_parse_line(line, line_len, &parsed, &why);
		if (rc == -EINVAL)
			tell(&reading, reading.line, why);
		if (rc < 0)
			continue;
		users->users = grow(users->users, users->user_count, sizeof *users->users);
		users->users[users->user_count++] =
			(struct user){.name = xstrndup(parsed.name, parsed.name_len),
				.hash = xstrndup(parsed.hash, parsed.hash_len),
				.line = reading.line};
	}
	if (users->user_count > 0)
		qsort(users->users, users->user_count, sizeof *users->users, compare_users);
	for (size_t i = 1; i < users->user_count; i++)
		if (strcmp(users->users[i - 1].name, users->users[i].name) == 0)
			tell(&reading, users->users[i].line, "the name was there before");
	return reading.wrong ? -EINVAL : 0;
}

static int
compare_bearers(const void *a, const void *b)
{
	const struct bearer *one = a, *other = b;
	int order = memcmp(one->digest, other->digest, sizeof one->digest);

	return order ? order : (one->line > other->line) - (one->line < other->line);
}

int
users_add_tokens(struct users *users, const char *data, size_t len, users_mistake_fn on_mistake, void *arg)
{
	struct reading reading = {.at = data, .end = data + len, .on_mistake = on_mistake, .arg = arg};
	struct token_line parsed;
	const char *line, *why;
	size_t line_len;

	users->has_tokens = true;
	while (next_line(&reading, &line, &line_len)) {
		int rc = token_parse_line(line, line_len, &parsed, &why);
		if (rc == -EINVAL)
			tell(&reading, reading.line, why);
		if (rc < 0)
			continue;
		users->bearers = grow(users->bearers, users->bearer_count, sizeof *users->bearers);
		struct bearer *bearer = &users->bearers[users->bearer_count++];
		*bearer =
			(struct bearer){.name = xstrndup(parsed.name, parsed.name_len), .line = reading.line};
		memcpy(bearer->digest, parsed.digest, sizeof bearer->digest);
	}
	if (users->bearer_count > 0)
		qsort(users->bearers, users->bearer_count, sizeof *users->bearers, compare_bearers);
	for (size_t i = 1; i < users->bearer_count; i++)
		if (memcmp(users->bearers[i - 1].digest, users->bearers[i].digest, LOGIN_DIGEST_BYTES) == 0)
			tell(&reading, users->bearers[i].line, "the token was there before");
	return reading.wrong ? -EINVAL : 0;
}

void
users_set_admins(struct users *users, char *const *names)
{
	for (; names && *names; names++) {
		users->admins = grow(users->admins, users->admin_count, sizeof *users->admins);
		users->admins[users->admin_count++] = xstrdup(*names);
	}
}

bool
users_have_passwords(const struct users *users)
{
	return users->has_passwords;
}

bool
users_have_tokens(const struct users *users)
{
	return users->has_tokens;
}

static int
compare_to_user(const void *name, const void *element)
{
	const struct user *user = element;

	return strcmp(name, user->name);
}

bool
users_has(const struct users *users, const char *name)
{
	for (size_t i = 0; i < users->bearer_count; i++)
		if (strcmp(users->bearers[i].name, name) == 0)
			return true;
	return users_find_hash(users, name);
}

const char *
users_find_hash(const struct users *users, const char *name)
{
	if (users->user_count == 0)
		return NULL;
	const struct user *user =
		bsearch(name, users->users, users->user_count, sizeof *users->users, compare_to_user);
	return user ? user->hash : NULL;
}

const char *
users_any_hash(const struct users *users)
{
	return users->user_count > 0 ? users->users[0].hash : no_hash;
}

const char *
users_find_bearer(const struct users *users, const char *token)
{
	uint8_t digest[LOGIN_DIGEST_BYTES];
	const char *name = NULL;

	SHA256((const unsigned char *)token, strlen(token), digest);
	for (size_t i = 0; i < users->bearer_count; i++)
		if (CRYPTO_memcmp(users->bearers[i].digest, digest, sizeof digest) == 0)
			name = users->bearers[i].name;
	OPENSSL_cleanse(digest, sizeof digest);
	return name;
}

bool
users_is_admin(const struct users *users, const char *name)
{
	for (size_t i = 0; i < users->admin_count; i++)
		if (strcmp(users->admins[i], name) == 0)
			return true;
	return false;
}
