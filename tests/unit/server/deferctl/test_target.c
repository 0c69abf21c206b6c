/* Tests of deferctl/target.c. */
#include "deferctl/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ID "a3759997-310d-4513-8d2a-9e047e58368f"

static void
assert_text(char *text, const char *expected)
{
	if (expected)
		assert_string_equal(text ? text : "none", expected);
	else
		assert_null(text);
	free(text);
}

static void
test_find(void **state)
{
	assert_text(target_find("http://a/b#c", NULL), "http://a/b");
	assert_text(target_find("/b?async=true", "http://a/"), "http://a/b?async=true");
	assert_text(target_find("b", "http://a/x"), "http://a/x/b");
	assert_text(target_find(ID, "http://a"), "http://a/operations/" ID);
	assert_text(target_find(ID, NULL), NULL);
	assert_text(target_find("/b", ""), NULL);
	assert_text(target_find("ftp://a/b", NULL), NULL);
	assert_text(target_find("file:///etc/passwd", "http://a"), NULL);
}

static void
test_resolve(void **state)
{
	assert_text(target_resolve("http://a/b/c", "d"), "http://a/b/d");
	assert_text(target_resolve("http://a/b/c", "/d"), "http://a/d");
	assert_text(target_resolve("http://a/b/c", "//e/d"), "http://e/d");
	assert_text(target_resolve("http://a/b/c", "https://e/d"), "https://e/d");
	assert_text(target_resolve("http://a/b/c", "file:///etc/passwd"), NULL);
	assert_text(target_resolve("http://a/b/c", "http://ann:secret@a/"), NULL);
}

static void
test_origin(void **state)
{
	assert_true(target_is_same_origin("http://a/b", "HTTP://A:80/c"));
	assert_true(target_is_same_origin("https://a:443/", "https://a/"));
	assert_false(target_is_same_origin("http://a/", "https://a/"));
	assert_false(target_is_same_origin("http://a/", "http://a:81/"));
	assert_false(target_is_same_origin("http://a/", "http://a.b/"));
	assert_false(target_is_same_origin("http://a/", "http://a@b/"));
	assert_false(target_is_same_origin("http://a/", "none"));
}

static void
test_split(void **state)
{
	char *user;

	assert_text(target_split("http://ann:s%40x@a/b", &user), "http://a/b");
	assert_text(user, "ann:s@x");
	assert_text(target_split("http://a/b", &user), "http://a/b");
	assert_null(user);
}

static void
test_operation(void **state)
{
	assert_text(target_of_operation("http://a/operations/" ID, "status"),
		"http://a/operations/" ID "/status");
	assert_text(target_of_operation("http://a/x/operations/" ID "?q", NULL), "http://a/x/operations/" ID);
	assert_text(target_of_operation("http://a/azure/operations/" ID, NULL), "http://a/operations/" ID);
	assert_text(target_of_operation("http://a/v1/operations/" ID, "output"),
		"http://a/operations/" ID "/output");
	assert_text(target_of_operation("http://a/operations/1", NULL), NULL);
	assert_text(target_of_operation("http://a/operations/", NULL), NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_resolve),
		cmocka_unit_test(test_origin),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_operation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
