/*
 * Authentication: finds out who makes a request before anything is done for it, and replies 401 itself if the
 * caller may not.  Passwords are checked by crypt(3) on threads of their own; right ones are remembered for a
 * minute.  An address from which log-ins fail is slowed down; right tokens and remembered passwords never
 * are.  Loop thread only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct auth;
struct http_request;
struct mailbox;
struct timers;
struct users;

/* No log-in is needed until there are users.  -errno. */
__attribute__((warn_unused_result)) int auth_new(
	struct timers *timers, struct mailbox *mailbox, struct auth **ret_auth);

/* From the next request on these users may log in (shared; NULL: no log-in is needed). */
void auth_set_users(struct auth *auth, struct users *users);
bool auth_has_users(const struct auth *auth);

/* Facts about a caller beside the header fields of its request. */
struct auth_caller {
	const char *certificate_name; /* common name in the client's certificate, unchecked; NULL: none */
	size_t certificate_name_len;
	bool must_log_in; /* nobody is let in unnamed, even without users */
};

/* The request's principal and is_admin are set: goes on with it. */
typedef void (*auth_admitted_fn)(struct http_request *request);

/* Finds out who makes the request and calls admitted, at once or later; or replies. */
void auth_begin(struct auth *auth, struct http_request *request, const struct auth_caller *caller,
	auth_admitted_fn admitted);

/*
 * Fast path of auth_begin.  If the caller is already known, sets principal (lent until the next call of
 * these) and is_admin and returns true.  Otherwise changes nothing and returns false.
 */
bool auth_knows(struct auth *auth, struct http_request *request, const struct auth_caller *caller);

/* Refuses every log-in under way, waits for the threads, and frees.  Outside of the loop.  NULL is allowed. */
void auth_free(struct auth *auth);
