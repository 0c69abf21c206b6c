/*
 * The users of an htpasswd file, the bearers of tokens, and which of them are admins.  Filled once from the
 * configuration, then only read, and replaced as a whole.  Counted references.  Loop thread only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct users;

/* Called with the number of each wrong line, from 1 on, and the mistake. */
typedef void (*users_mistake_fn)(void *arg, size_t line, const char *why);

struct users *users_new(void);
struct users *users_ref(struct users *users);
void users_unref(struct users *users); /* NULL is allowed */

/* Adds the users of an htpasswd file, or the bearers of a file of tokens (login_files.h).  -EINVAL if there
 * was a mistake. */
__attribute__((warn_unused_result)) int users_add_htpasswd(
	struct users *users, const char *data, size_t len, users_mistake_fn on_mistake, void *arg);
__attribute__((warn_unused_result)) int users_add_tokens(
	struct users *users, const char *data, size_t len, users_mistake_fn on_mistake, void *arg);

/* Names (ended by NULL, lent; NULL: none) that may use everybody's operations. */
void users_set_admins(struct users *users, char *const *names);

/* Whether a file of passwords, or of tokens, was added. */
bool users_have_passwords(const struct users *users);
bool users_have_tokens(const struct users *users);

/* Whether a file has a user or a bearer of that name. */
bool users_has(const struct users *users, const char *name);

/* The hash of a user's password, NULL if there is no such user; lent. */
const char *users_find_hash(const struct users *users, const char *name);

/* A hash that costs as much to check as a user's, for unknown names; lent. */
const char *users_any_hash(const struct users *users);

/* The name of a token's bearer, NULL if the token is unknown; lent.  Takes the same time for every token. */
const char *users_find_bearer(const struct users *users, const char *token);

bool users_is_admin(const struct users *users, const char *name);
