/*
 * Authentication: log-ins that wait for their turn and for the check of their password.
 *
 * A log-in waits for its address' turn (a timer, no thread), then for the check of its password.  All log-ins
 * with the same name and password that come while a check runs share that check: a client that opens many
 * connections at once costs one.
 */
#include "http/auth.h"

#include "common/cleanup.h"
#include "common/hash.h"
#include "common/http/fields.h"
#include "common/list.h"
#include "common/loop/mailbox.h"
#include "common/loop/pool.h"
#include "common/loop/timer.h"
#include "common/text.h"
#include "http/credentials.h"
#include "http/login_cache.h"
#include "http/login_files.h"
#include "http/login_recall.h"
#include "http/reply.h"
#include "http/throttle.h"
#include "http/users.h"

#include <crypt.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Threads that check passwords, and log-ins that may wait for a turn or a check. */
#define CHECK_THREADS 2
#define LOGINS_MAX 1000

struct auth {
	struct timers *timers;
	struct mailbox *mailbox;
	struct pool *pool;
	struct users *users; /* NULL: no log-in is needed */
	struct login_cache *cache;
	struct login_recall *recall;
	struct throttle *throttle;
	struct hash checks;  /* those that run */
	struct list waiting; /* log-ins that wait for their turn */
	unsigned login_count;
	atomic_bool halted; /* checks are no longer made */
};

/* A request that is kept until it is known who makes it. */
struct login {
	struct list link; /* in the auth's waiting, or in the check's logins */
	struct auth *auth;
	struct http_request *request;
	auth_admitted_fn admitted;
	struct timer turn;
	struct credentials credentials;
	char *address;
};

/* A password that a thread compares. */
struct check {
	struct hash_node node;
	struct auth *auth;
	struct list logins; /* those that wait for it */
	uint8_t digest[LOGIN_CACHE_DIGEST_BYTES];
	struct pool_job job;

	/* read by the thread */
	char *name, *password, *hash;
	bool is_known; /* else the hash is somebody else's, and whatever comes out is wrong */

	/* written by the thread */
	bool is_right;
};

int
auth_new(struct timers *timers, struct mailbox *mailbox, struct auth **ret_auth)
{
	struct auth *auth = xcalloc(1, sizeof *auth);
	int rc = pool_new("login", mailbox, CHECK_THREADS, &auth->pool);

	if (rc < 0) {
		free(auth);
		return rc;
	}
	auth->timers = timers;
	auth->mailbox = mailbox;
	auth->cache = login_cache_new();
	auth->recall = login_recall_new();
	auth->throttle = throttle_new();
	hash_init(&auth->checks);
	list_init(&auth->waiting);
	*ret_auth = auth;
	return 0;
}

void
auth_set_users(struct auth *auth, struct users *users)
{
	struct users *before = auth->users;

	auth->users = users ? users_ref(users) : NULL;
	users_unref(before);
	login_recall_clear(auth->recall);
}

bool
auth_has_users(const struct auth *auth)
{
	return auth->users != NULL;
}

static void
set_principal(struct auth *auth, struct http_request *request, const char *name)
{
	request->principal = name;
	request->is_admin = name && auth->users && users_is_admin(auth->users, name);
}

static void
admit(struct auth *auth, struct http_request *request, const char *name, auth_admitted_fn admitted)
{
	if (!request->peer) {
		reply_problemf(request, PROBLEM_UNAUTHORIZED, "The client has left.");
		return;
	}
	request->principal_memory = xstrdup(name);
	set_principal(auth, request, request->principal_memory);
	admitted(request);
}

static void
challenge(struct auth *auth, struct http_request *request, const char *detail)
{
	CLEANUP(fields_fini) struct fields fields = {0};
	struct problem_report report = {.problem = PROBLEM_UNAUTHORIZED, .detail = detail};
	bool passwords = auth->users && users_have_passwords(auth->users);
	bool tokens = auth->users && users_have_tokens(auth->users);

	/* A 401 must name a scheme (RFC 9110, 15.5.2), even where only a certificate would help. */
	if (passwords || !tokens)
		fields_put(&fields, "WWW-Authenticate", "Basic realm=\"deferd\", charset=\"UTF-8\"");
	if (tokens)
		fields_put(&fields, "WWW-Authenticate", "Bearer realm=\"deferd\"");
	reply_problem(request, &report, &fields);
}

static void
refuse(struct auth *auth, struct http_request *request)
{
	challenge(auth, request, "The credentials are not valid.");
}

static void
reply_busy(struct http_request *request, enum problem problem, const char *detail)
{
	CLEANUP(fields_fini) struct fields fields = {0};
	struct problem_report report = {.problem = problem, .detail = detail};

	fields_put(&fields, "Retry-After", "10");
	reply_problem(request, &report, &fields);
}

static void
free_login(struct login *login)
{
	login->auth->login_count--;
	timer_stop(&login->turn);
	list_remove(&login->link);
	credentials_fini(&login->credentials);
	free(login->address);
	free(login);
}

static void
run_check(struct pool_job *job)
{
	struct check *check = container_of(job, struct check, job);

	if (atomic_load(&check->auth->halted))
		return;
	struct crypt_data *data = xcalloc(1, sizeof *data);
	/* Not crypt_r: the address sanitizer has one of its own, and then libcrypt would not be linked. */
	const char *made = crypt_rn(check->password, check->hash, data, sizeof *data);
	size_t len = strlen(check->hash);
	check->is_right =
		made && strlen(made) == len && CRYPTO_memcmp(made, check->hash, len) == 0 && check->is_known;
	OPENSSL_cleanse(data, sizeof *data);
	free(data);
}

/* Whether a password that was right still is: the users may be others by now. */
static bool
is_current(const struct check *check)
{
	const char *hash = check->auth->users ? users_find_hash(check->auth->users, check->name) : NULL;

	return hash && strcmp(hash, check->hash) == 0;
}

static void
free_check(struct check *check)
{
	hash_remove(&check->auth->checks, &check->node);
	OPENSSL_cleanse(check->password, strlen(check->password));
	free(check->password);
	free(check->name);
	free(check->hash);
	free(check);
}

/* check is NULL where none was done, because there is no more time for it. */
static void
end_login(struct login *login, const struct check *check)
{
	struct auth *auth = login->auth;
	struct http_request *request = login->request;

	if (!check || atomic_load(&auth->halted))
		reply_problemf(request, PROBLEM_DRAINING, "The server is shutting down.");
	else if (check->is_right)
		admit(auth, request, check->name, login->admitted);
	else
		refuse(auth, request);
	free_login(login);
}

static void
on_checked(struct pool_job *job)
{
	struct check *check = container_of(job, struct check, job);
	struct auth *auth = check->auth;
	struct list logins;

	check->is_right = check->is_right && is_current(check);
	if (check->is_right)
		login_cache_add(auth->cache, check->digest);
	list_init(&logins);
	list_splice(&logins, &check->logins);
	list_for_each_safe(node, &logins) {
		struct login *login = container_of(node, struct login, link);
		if (!check->is_right && !atomic_load(&auth->halted))
			throttle_add_failure(auth->throttle, login->address);
		end_login(login, check);
	}
	free_check(check);
}

static struct check *
find_check(const struct auth *auth, const uint8_t *digest)
{
	uint64_t value = hash_bytes(&auth->checks, digest, LOGIN_CACHE_DIGEST_BYTES);

	for (struct hash_node *node = hash_find(&auth->checks, value); node; node = hash_find_next(node)) {
		struct check *check = container_of(node, struct check, node);
		if (CRYPTO_memcmp(check->digest, digest, sizeof check->digest) == 0)
			return check;
	}
	return NULL;
}

static struct check *
start_check(struct auth *auth, const struct credentials *credentials, const char *hash, bool is_known,
	const uint8_t *digest)
{
	struct check *check = xcalloc(1, sizeof *check);

	check->auth = auth;
	list_init(&check->logins);
	memcpy(check->digest, digest, sizeof check->digest);
	check->name = xstrdup(credentials->name);
	check->password = xstrdup(credentials->secret);
	check->hash = xstrdup(hash);
	check->is_known = is_known;
	check->job.run = run_check;
	check->job.done = on_checked;
	hash_add(&auth->checks, &check->node, hash_bytes(&auth->checks, digest, LOGIN_CACHE_DIGEST_BYTES));
	pool_submit(auth->pool, &check->job);
	return check;
}

/* Its turn has come: the token was wrong, or its password is checked. */
static void
take_turn(struct login *login)
{
	struct auth *auth = login->auth;
	uint8_t digest[LOGIN_CACHE_DIGEST_BYTES];

	if (login->credentials.scheme == CREDENTIALS_BEARER || !login->request->peer || !auth->users) {
		refuse(auth, login->request);
		free_login(login);
		return;
	}
	const char *hash = users_find_hash(auth->users, login->credentials.name);
	bool is_known = hash != NULL;
	if (!is_known)
		hash = users_any_hash(auth->users);
	login_cache_digest(auth->cache, login->credentials.name, hash, login->credentials.secret, digest);
	struct check *check = find_check(auth, digest);
	if (!check)
		check = start_check(auth, &login->credentials, hash, is_known, digest);
	list_remove(&login->link);
	list_add_tail(&check->logins, &login->link);
}

static void
on_turn(struct timer *timer)
{
	take_turn(container_of(timer, struct login, turn));
}

/* Keeps the request until its address' turn has come; takes the credentials. */
static void
wait_for_turn(struct auth *auth, struct http_request *request, struct credentials *credentials,
	auth_admitted_fn admitted)
{
	const char *address = http_request_remote_address(request);

	if (credentials->scheme == CREDENTIALS_BEARER)
		throttle_add_failure(auth->throttle, address);
	int64_t wait_ms = auth->login_count < LOGINS_MAX ? throttle_take_turn(auth->throttle, address) : 0;
	if (auth->login_count >= LOGINS_MAX || wait_ms < 0) {
		credentials_fini(credentials);
		if (wait_ms < 0)
			reply_busy(request, PROBLEM_LOGIN_FAILURES,
				"Too many log-ins from this address have failed.");
		else
			reply_busy(request, PROBLEM_CAPACITY, "Too many log-ins are in progress.");
		return;
	}
	struct login *login = xcalloc(1, sizeof *login);
	login->auth = auth;
	login->request = request;
	login->admitted = admitted;
	login->credentials = *credentials;
	login->address = xstrdup(address);
	timer_init(&login->turn, on_turn);
	list_add_tail(&auth->waiting, &login->link);
	auth->login_count++;
	if (wait_ms > 0)
		timer_start(auth->timers, &login->turn, wait_ms);
	else
		take_turn(login);
}

/* The caller, if that is known at once, and until when; NULL: nobody, or it takes a check. */
static const char *
known_name(struct auth *auth, const struct credentials *credentials, int64_t *ret_until_ms)
{
	uint8_t digest[LOGIN_CACHE_DIGEST_BYTES];

	if (credentials->scheme == CREDENTIALS_BEARER) {
		*ret_until_ms = INT64_MAX;
		return users_find_bearer(auth->users, credentials->secret);
	}
	const char *hash = users_find_hash(auth->users, credentials->name);
	if (!hash)
		return NULL;
	login_cache_digest(auth->cache, credentials->name, hash, credentials->secret, digest);
	*ret_until_ms = login_cache_until(auth->cache, digest);
	return *ret_until_ms > 0 ? credentials->name : NULL;
}

static void
count_field(const char *value, void *count)
{
	(void)value;
	++*(unsigned *)count;
}

static void
log_in(struct auth *auth, struct http_request *request, auth_admitted_fn admitted)
{
	struct credentials credentials;
	unsigned count = 0;

	http_request_each_field(request, "Authorization", count_field, &count);
	if (!users_have_passwords(auth->users) && !users_have_tokens(auth->users)) {
		challenge(auth, request, "A client certificate is required.");
		return;
	}
	if (count == 0) {
		challenge(auth, request, "Authentication is required.");
		return;
	}
	const char *field = http_request_field(request, "Authorization");
	if (count > 1 || credentials_parse(field, &credentials) < 0) {
		challenge(auth, request, "The Authorization field is not well formed.");
		return;
	}
	int64_t until_ms;
	const char *name = known_name(auth, &credentials, &until_ms);
	if (!name) {
		wait_for_turn(auth, request, &credentials, admitted);
		return;
	}
	login_recall_add(auth->recall, field, name, until_ms);
	admit(auth, request, name, admitted);
	credentials_fini(&credentials);
}

/* The name in the certificate, if it can be a principal's; else NULL. */
static const char *
certified_name(const struct auth_caller *caller)
{
	const char *why;

	return caller->certificate_name && login_name_check(caller->certificate_name,
						   caller->certificate_name_len, &why) == 0
		       ? caller->certificate_name
		       : NULL;
}

/* The name of a caller whose Authorization field was good a short while ago; NULL: not known. */
static const char *
recalled_name(struct auth *auth, const struct http_request *request)
{
	unsigned count = 0;

	http_request_each_field(request, "Authorization", count_field, &count);
	return count == 1 ? login_recall_find(auth->recall, http_request_field(request, "Authorization"))
			  : NULL;
}

bool
auth_knows(struct auth *auth, struct http_request *request, const struct auth_caller *caller)
{
	const char *name = certified_name(caller);

	if (!name && auth->users)
		name = recalled_name(auth, request);
	if (!name && (auth->users || caller->must_log_in))
		return false;
	set_principal(auth, request, name);
	return true;
}

void
auth_begin(struct auth *auth, struct http_request *request, const struct auth_caller *caller,
	auth_admitted_fn admitted)
{
	if (auth_knows(auth, request, caller))
		admit(auth, request, request->principal, admitted);
	else if (!auth->users)
		challenge(auth, request, "A client certificate is required.");
	else
		log_in(auth, request, admitted);
}

void
auth_free(struct auth *auth)
{
	if (!auth)
		return;
	atomic_store(&auth->halted, true);
	pool_free(auth->pool);
	mailbox_drain(auth->mailbox);
	list_for_each_safe(node, &auth->waiting) {
		struct login *login = container_of(node, struct login, link);
		end_login(login, NULL);
	}
	users_unref(auth->users);
	login_cache_free(auth->cache);
	login_recall_free(auth->recall);
	throttle_free(auth->throttle);
	hash_fini(&auth->checks);
	free(auth);
}
