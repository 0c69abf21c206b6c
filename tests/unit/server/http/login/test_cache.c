/* Passwords that were found right. */
#include "http/login/cache.h"

#include "common/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
add(struct login_cache *cache, const char *name, const char *hash, const char *password)
{
	uint8_t digest[LOGIN_CACHE_DIGEST_BYTES];

	login_cache_digest(cache, name, hash, password, digest);
	login_cache_add(cache, digest);
}

static bool
has(struct login_cache *cache, const char *name, const char *hash, const char *password)
{
	uint8_t digest[LOGIN_CACHE_DIGEST_BYTES];

	login_cache_digest(cache, name, hash, password, digest);
	return login_cache_until(cache, digest) > 0;
}

static void
test_what_is_compared(void **state)
{
	struct login_cache *cache = login_cache_new();

	assert_false(has(cache, "ann", "h", "secret"));
	add(cache, "ann", "h", "secret");
	assert_true(has(cache, "ann", "h", "secret"));
	assert_false(has(cache, "ann", "h", "secret2"));
	assert_false(has(cache, "ann", "h", ""));
	assert_false(has(cache, "bob", "h", "secret"));
	assert_false(has(cache, "ann", "h2", "secret"));
	/* Where one ends and the next begins counts. */
	assert_false(has(cache, "an", "nh", "secret"));
	assert_false(has(cache, "ann", "hs", "ecret"));
	login_cache_free(cache);
	login_cache_free(NULL);
}

static void
test_a_minute(void **state)
{
	struct login_cache *cache = login_cache_new();

	clock_hold(1000, 0);
	add(cache, "ann", "h", "secret");
	clock_hold(1000 + LOGIN_CACHE_MS - 1, 0);
	assert_true(has(cache, "ann", "h", "secret"));
	clock_hold(1000 + LOGIN_CACHE_MS, 0);
	assert_false(has(cache, "ann", "h", "secret"));
	add(cache, "ann", "h", "secret");
	clock_hold(2000 + LOGIN_CACHE_MS, 0);
	assert_true(has(cache, "ann", "h", "secret"));
	clock_release();
	login_cache_free(cache);
}

static void
test_bound(void **state)
{
	struct login_cache *cache = login_cache_new();
	char password[16];

	for (int i = 0; i < LOGIN_CACHE_MAX + 2; i++) {
		snprintf(password, sizeof password, "p%d", i);
		add(cache, "ann", "h", password);
		if (i == 1)
			add(cache, "ann", "h", "p0"); /* which makes p1 the oldest */
	}
	assert_false(has(cache, "ann", "h", "p1"));
	assert_false(has(cache, "ann", "h", "p0"));
	assert_true(has(cache, "ann", "h", "p2"));
	assert_true(has(cache, "ann", "h", password));
	login_cache_free(cache);
}

/* The key is of one cache: no digest is of use elsewhere. */
static void
test_key(void **state)
{
	struct login_cache *one = login_cache_new(), *other = login_cache_new();
	uint8_t a[LOGIN_CACHE_DIGEST_BYTES], b[LOGIN_CACHE_DIGEST_BYTES];

	login_cache_digest(one, "ann", "h", "secret", a);
	login_cache_digest(other, "ann", "h", "secret", b);
	assert_memory_not_equal(a, b, sizeof a);
	login_cache_free(one);
	login_cache_free(other);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_compared),
		cmocka_unit_test(test_a_minute),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
