/*
 * Authentication: finds out who makes a request before anything is done for it, and answers 401 itself where
 * nobody may.  Passwords are checked by crypt(3) on threads of their own; those found right are remembered
 * for a minute.  An address from which log-ins fail is slowed; tokens that are right and passwords that are
 * remembered never are.  Loop thread only.
 */
#pragma once

#include <stdbool.h>

struct auth;
struct http_request;
struct mailbox;
struct timers;
struct users;

/* Nobody need log in until there are users.  -errno. */
__attribute__((warn_unused_result)) int auth_new(
	struct timers *timers, struct mailbox *mailbox, struct auth **ret_auth);

/* From the next request on these may log in (shared; NULL: nobody need). */
void auth_set_users(struct auth *auth, struct users *users);
bool auth_has_users(const struct auth *auth);

/*
 * Sets request->principal and is_admin and admits the request (http_request_admit), at once or later; or
 * replies.  certificate_name is who the client's certificate names, NULL: it has none.  must_log_in: nobody
 * is let in unnamed, even without users.
 */
void auth_begin(
	struct auth *auth, struct http_request *request, const char *certificate_name, bool must_log_in);

/*
 * The same where it can be told at once that the request is admitted, and by whom it is made: then true, and
 * its principal, which is lent until the next call of these, and is_admin are set.  Else nothing has
 * happened, and auth_begin tells what is to be done.
 */
bool auth_knows(
	struct auth *auth, struct http_request *request, const char *certificate_name, bool must_log_in);

/* Ends every log-in under way with a refusal and waits for its threads; then frees.  Outside of the loop.
 * NULL is allowed. */
void auth_free(struct auth *auth);
