/*
 * Authentication, by fake requests and a crypt(3) that the test holds: one check for many log-ins, turns of an
 * address, certificates, clients that leave, and the end.
 */
#include "http/login/auth.h"

#include "common/clock.h"
#include "common/list.h"
#include "common/loop/mailbox.h"
#include "common/loop/timer.h"
#include "http/login/throttle.h"
#include "http/login/users.h"
#include "tests/unit/common/loop/loop.h"
#include "tests/unit/server/http/message/fake_request.h"

#include <event2/event.h>
#include <openssl/sha.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#define HASH "$5$salt$0123456789012345678901234567890123456789012"
#define BASIC(pair) "Basic " pair
#define ANN_RIGHT BASIC("YW5uOnJpZ2h0") /* ann:right */
#define ANN_WRONG BASIC("YW5uOndyb25n") /* ann:wrong */
#define EVE_RIGHT BASIC("ZXZlOnJpZ2h0") /* eve:right, who is no user */

enum { MANY = 20, HELD_MS = 1000000, PATIENCE = 20000 };

static struct {
	struct event_base *base;
	struct timers *timers;
	struct mailbox *mailbox;
	struct auth *auth;
	struct http_shared shared;
} scene;

static atomic_uint crypts; /* calls so far */
static sem_t may_end;	   /* one for each */

/* In the place of libcrypt's. */
char *crypt_rn(const char *phrase, const char *setting, void *data, int size);

char *
crypt_rn(const char *phrase, const char *setting, void *data, int size)
{
	atomic_fetch_add(&crypts, 1);
	sem_wait(&may_end);
	snprintf(data, (size_t)size, "%s", strcmp(phrase, "right") == 0 ? setting : "*0");
	return data;
}

static void
fail_line(void *arg, size_t line, const char *why)
{
	(void)arg;
	fail_msg("line %zu: %s", line, why);
}

static struct users *
make_users(void)
{
	static const char passwords[] = "ann:" HASH "\nsu:" HASH "\n";
	char *const admins[] = {(char[]){"su"}, NULL};
	struct users *users = users_new();
	struct text tokens = {0};
	uint8_t digest[SHA256_DIGEST_LENGTH];

	SHA256((const unsigned char *)"tok", 3, digest);
	text_add_string(&tokens, "bob:");
	for (size_t i = 0; i < sizeof digest; i++)
		text_addf(&tokens, "%02x", digest[i]);
	assert_int_equal(users_add_htpasswd(users, passwords, strlen(passwords), fail_line, NULL), 0);
	assert_int_equal(users_add_tokens(users, tokens.data, tokens.len, fail_line, NULL), 0);
	users_set_admins(users, admins);
	text_fini(&tokens);
	return users;
}

static int
start(void **state)
{
	struct users *users = make_users();

	(void)state;
	clock_hold(HELD_MS, 0);
	atomic_store(&crypts, 0);
	sem_init(&may_end, 0, 0);
	scene.base = loop_new();
	assert_int_equal(timers_new(NULL, &scene.timers), 0);
	assert_int_equal(mailbox_new(scene.base, &scene.mailbox), 0);
	assert_int_equal(auth_new(scene.timers, scene.mailbox, &scene.auth), 0);
	scene.shared = (struct http_shared){0};
	http_shared_init(&scene.shared);
	auth_set_users(scene.auth, users);
	users_unref(users);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	auth_free(scene.auth);
	mailbox_free(scene.mailbox);
	timers_free(scene.timers);
	event_base_free(scene.base);
	http_shared_fini(&scene.shared);
	sem_destroy(&may_end);
	clock_release();
	return 0;
}

static void
on_admitted(struct http_request *request)
{
	container_of(request, struct fake_request, request)->is_admitted = true;
}

/* Begins a log-in with an Authorization field; *fake lasts until fake_request_fini. */
static void
begin(struct fake_request *fake, const char *authorization)
{
	static const struct auth_caller nobody = {0};
	static const char *fields[MANY][3];
	static unsigned at;
	const char **own = fields[at++ % MANY];

	own[0] = authorization ? "Authorization" : NULL;
	own[1] = authorization;
	fake_request_init(fake, &scene.shared, HTTP_GET, own);
	auth_begin(scene.auth, &fake->request, &nobody, on_admitted);
}

static void
check_admitted(struct fake_request *fake, const char *name)
{
	assert_true(fake->is_admitted);
	assert_false(fake->has_ended);
	assert_string_equal(fake->request.principal, name);
	fake_request_fini(fake);
}

static void
check_refused(struct fake_request *fake, int status, const char *line)
{
	assert_false(fake->is_admitted);
	assert_int_equal(fake_request_status(fake), status);
	assert_true(fake_request_has_line(fake, line));
	fake_request_fini(fake);
}

#define BASIC_LINE "WWW-Authenticate: Basic realm=\"deferd\", charset=\"UTF-8\""
#define BEARER_LINE "WWW-Authenticate: Bearer realm=\"deferd\""

/* Runs the loop until a log-in is decided. */
static void
await(struct fake_request *fake)
{
	for (int i = 0; !fake->is_admitted && !fake->has_ended; i++) {
		struct timeval wait = {.tv_usec = 1000};
		assert_true(i < PATIENCE);
		event_base_loopexit(scene.base, &wait);
		event_base_loop(scene.base, 0);
	}
}

/* Lets time pass for the timers. */
static void
pass(int64_t ms)
{
	clock_hold(clock_mono_ms() + ms, 0);
	while (timers_advance(scene.timers, clock_mono_ms(), 1000))
		;
}

static void
end_crypts(unsigned count)
{
	while (count-- > 0)
		sem_post(&may_end);
}

static void
test_one_check_for_many(void **state)
{
	struct fake_request fakes[MANY];

	(void)state;
	for (unsigned i = 0; i < MANY; i++)
		begin(&fakes[i], ANN_RIGHT);
	for (unsigned i = 0; i < MANY; i++)
		assert_false(fakes[i].is_admitted || fakes[i].has_ended);
	end_crypts(MANY);
	await(&fakes[MANY - 1]);
	for (unsigned i = 0; i < MANY; i++)
		check_admitted(&fakes[i], "ann");
	assert_int_equal(atomic_load(&crypts), 1);
}

/* Two passwords are two checks, and a name without user costs one, too. */
static void
test_other_checks(void **state)
{
	struct fake_request right, wrong, unknown;

	(void)state;
	begin(&right, ANN_RIGHT);
	begin(&wrong, ANN_WRONG);
	begin(&unknown, EVE_RIGHT);
	end_crypts(3);
	await(&right);
	await(&wrong);
	await(&unknown);
	check_admitted(&right, "ann");
	check_refused(&wrong, 401, BASIC_LINE);
	check_refused(&unknown, 401, BASIC_LINE);
	assert_int_equal(atomic_load(&crypts), 3);
}

/* A right password is remembered for a minute, and not longer; a wrong one is not. */
static void
test_remembered(void **state)
{
	struct fake_request fake;
	static const struct auth_caller nobody = {0};

	(void)state;
	end_crypts(3);
	begin(&fake, ANN_RIGHT);
	await(&fake);
	check_admitted(&fake, "ann");
	begin(&fake, ANN_RIGHT);
	check_admitted(&fake, "ann");
	assert_int_equal(atomic_load(&crypts), 1);

	begin(&fake, ANN_RIGHT);
	fake.request.principal = NULL;
	assert_true(auth_knows(scene.auth, &fake.request, &nobody));
	assert_string_equal(fake.request.principal, "ann");
	fake_request_fini(&fake);

	pass(60001);
	begin(&fake, ANN_RIGHT);
	assert_false(fake.is_admitted);
	await(&fake);
	check_admitted(&fake, "ann");
	assert_int_equal(atomic_load(&crypts), 2);
}

/* New users end what is remembered of those who are gone. */
static void
test_forgotten(void **state)
{
	struct fake_request fake;
	struct users *others = users_new();
	static const char line[] = "su:" HASH "\n";

	(void)state;
	end_crypts(2);
	begin(&fake, ANN_RIGHT);
	await(&fake);
	check_admitted(&fake, "ann");
	assert_int_equal(users_add_htpasswd(others, line, strlen(line), fail_line, NULL), 0);
	auth_set_users(scene.auth, others);
	users_unref(others);
	begin(&fake, ANN_RIGHT);
	await(&fake);
	check_refused(&fake, 401, BASIC_LINE);
}

static void
test_tokens(void **state)
{
	struct fake_request fake;

	(void)state;
	begin(&fake, "Bearer tok");
	assert_false(fake.request.is_admin);
	check_admitted(&fake, "bob");
	begin(&fake, "Bearer tok");
	check_admitted(&fake, "bob");
	begin(&fake, "Bearer other");
	check_refused(&fake, 401, BEARER_LINE);
	begin(&fake, NULL);
	check_refused(&fake, 401, BEARER_LINE);
	begin(&fake, "Bearer");
	check_refused(&fake, 401, BASIC_LINE);
	begin(&fake, "Digest x");
	check_refused(&fake, 401, BASIC_LINE);
	assert_int_equal(atomic_load(&crypts), 0);
}

/* After some failures further attempts wait for their turn, which come ever more slowly, and at last they are
 * refused at once.  A right token never waits. */
static void
test_turns(void **state)
{
	struct fake_request waiting[2], fake;
	unsigned pending = 0;

	(void)state;
	for (unsigned i = 0; i < THROTTLE_FREE_FAILURES; i++) {
		begin(&fake, "Bearer wrong");
		check_refused(&fake, 401, BEARER_LINE);
	}
	for (unsigned i = 0; i < 2; i++) {
		begin(&waiting[i], "Bearer wrong");
		assert_false(waiting[i].has_ended);
	}
	begin(&fake, "Bearer tok");
	check_admitted(&fake, "bob");
	pass(THROTTLE_FIRST_MS - 1);
	assert_false(waiting[0].has_ended);
	pass(1);
	check_refused(&waiting[0], 401, BEARER_LINE);
	assert_false(waiting[1].has_ended);
	pass(THROTTLE_INTERVAL_MS);
	check_refused(&waiting[1], 401, BEARER_LINE);

	struct fake_request crowd[MANY];
	for (unsigned i = 0; i < MANY; i++)
		begin(&crowd[i], "Bearer wrong");
	for (unsigned i = 0; i < MANY; i++)
		pending += !crowd[i].has_ended;
	assert_true(pending > 0 && pending < MANY);
	for (unsigned i = pending; i < MANY; i++) {
		assert_true(fake_request_has_line(&crowd[i], "Retry-After: 10"));
		assert_int_equal(fake_request_status(&crowd[i]), 429);
	}
	pass(10 * THROTTLE_WAIT_MS);
	for (unsigned i = 0; i < MANY; i++) {
		assert_true(crowd[i].has_ended);
		fake_request_fini(&crowd[i]);
	}
}

/* A client that leaves while its password is checked, and one that leaves while it waits for its turn. */
static void
test_leaving(void **state)
{
	struct fake_request fake;

	(void)state;
	begin(&fake, ANN_RIGHT);
	fake_request_leave(&fake);
	end_crypts(1);
	await(&fake);
	assert_true(fake.has_ended);
	assert_false(fake.is_admitted);
	assert_int_equal(fake.written.len, 0);
	fake_request_fini(&fake);
	for (unsigned i = 0; i < THROTTLE_FREE_FAILURES; i++) {
		begin(&fake, "Bearer wrong");
		fake_request_fini(&fake);
	}
	begin(&fake, "Bearer wrong");
	fake_request_leave(&fake);
	assert_false(fake.has_ended);
	pass(THROTTLE_FIRST_MS);
	assert_true(fake.has_ended);
	fake_request_fini(&fake);
}

static const struct {
	const char *name;
	size_t len;
	bool is_good;
} certificates[] = {
	{"carl", 4, true},
	{"k\xc3\xa4the", 6, true},
	{"", 0, false},
	{"a:b", 3, false},
	{"a\0b", 3, false},
	{"a\nb", 3, false},
	{"\xff", 1, false},
	{NULL, 0, false},
};

static void
test_certificates(void **state)
{
	(void)state;
	for (int with_users = 1; with_users >= 0; with_users--) {
		if (!with_users)
			auth_set_users(scene.auth, NULL);
		for (size_t i = 0; i < sizeof certificates / sizeof *certificates; i++) {
			struct auth_caller caller = {certificates[i].name, certificates[i].len, true};
			struct fake_request fake;
			fake_request_init(&fake, &scene.shared, HTTP_GET, NULL);
			auth_begin(scene.auth, &fake.request, &caller, on_admitted);
			if (certificates[i].is_good)
				check_admitted(&fake, certificates[i].name);
			else
				check_refused(&fake, 401, BASIC_LINE);
		}
	}
}

/* Without users, and without certificates asked for, everybody is let in unnamed. */
static void
test_open(void **state)
{
	struct fake_request fake;

	(void)state;
	assert_true(auth_has_users(scene.auth));
	auth_set_users(scene.auth, NULL);
	assert_false(auth_has_users(scene.auth));
	begin(&fake, "Bearer wrong");
	assert_true(fake.is_admitted);
	assert_null(fake.request.principal);
	fake_request_fini(&fake);
}

static void
test_admins(void **state)
{
	struct fake_request fake;

	(void)state;
	end_crypts(1);
	begin(&fake, BASIC("c3U6cmlnaHQ=")); /* su:right */
	await(&fake);
	assert_true(fake.request.is_admin);
	check_admitted(&fake, "su");
}

/* The end refuses the log-ins that are under way. */
static void
test_end(void **state)
{
	struct fake_request checked, waiting;

	(void)state;
	for (unsigned i = 0; i < THROTTLE_FREE_FAILURES; i++) {
		struct fake_request fake;
		begin(&fake, "Bearer wrong");
		fake_request_fini(&fake);
	}
	begin(&waiting, "Bearer wrong");
	pass(THROTTLE_FORGET_MS - 1);
	fake_request_fini(&waiting);
	pass(1);
	begin(&checked, ANN_WRONG);
	for (unsigned i = 0; i <= THROTTLE_FREE_FAILURES; i++) {
		begin(&waiting, "Bearer wrong");
		if (i < THROTTLE_FREE_FAILURES)
			fake_request_fini(&waiting);
	}
	assert_false(checked.has_ended || waiting.has_ended);
	end_crypts(1);
	auth_free(scene.auth);
	scene.auth = NULL;
	assert_true(checked.has_ended);
	assert_int_equal(fake_request_status(&waiting), 503);
	fake_request_fini(&checked);
	fake_request_fini(&waiting);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_check_for_many, start, stop),
		cmocka_unit_test_setup_teardown(test_other_checks, start, stop),
		cmocka_unit_test_setup_teardown(test_remembered, start, stop),
		cmocka_unit_test_setup_teardown(test_forgotten, start, stop),
		cmocka_unit_test_setup_teardown(test_tokens, start, stop),
		cmocka_unit_test_setup_teardown(test_turns, start, stop),
		cmocka_unit_test_setup_teardown(test_leaving, start, stop),
		cmocka_unit_test_setup_teardown(test_certificates, start, stop),
		cmocka_unit_test_setup_teardown(test_open, start, stop),
		cmocka_unit_test_setup_teardown(test_admins, start, stop),
		cmocka_unit_test_setup_teardown(test_end, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
