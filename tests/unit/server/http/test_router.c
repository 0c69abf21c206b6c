/* The router: which pattern a path leads to, what its parameters are, and which methods would do. */
#include "http/router.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *const patterns[] = {"/", "/a", "/a/{x}", "/a/b", "/a/{x}/c", "/files/{rest...}",
	"/a/b/{y}/{rest...}", "/op/{id}", "/op/{id}:cancel", "/op/{id}:wait", "/op/{id}:wait/x"};

static struct router *
router_of_patterns(void)
{
	struct router *router = router_new();

	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
		assert_int_equal(
			router_add(router, patterns[i], HTTP_GET | HTTP_POST, (void *)(uintptr_t)patterns[i]),
			0);
	return router;
}

static void
finds_the_pattern(void **state)
{
	static const struct {
		const char *path, *pattern, *name, *value;
	} cases[] = {
		{"/", "/", NULL, NULL},
		{"/a", "/a", NULL, NULL},
		{"/a/1", "/a/{x}", "x", "1"},
		{"/a/b", "/a/b", NULL, NULL},
		{"/a/b/c", "/a/{x}/c", "x", "b"},
		{"/a/bb/c", "/a/{x}/c", "x", "bb"},
		{"/a/b/d/e/f", "/a/b/{y}/{rest...}", "rest", "e/f"},
		{"/files/x", "/files/{rest...}", "rest", "x"},
		{"/files/", "/files/{rest...}", "rest", ""},
		{"/files/x/y%2fz/", "/files/{rest...}", "rest", "x/y%2fz/"},
		{"/op/1:cancel", "/op/{id}:cancel", "id", "1"},
		{"/op/1:wait", "/op/{id}:wait", "id", "1"},
		{"/op/1:wait:wait", "/op/{id}:wait", "id", "1:wait"},
		{"/op/operations%2F1:cancel", "/op/{id}:cancel", "id", "operations%2F1"},
		{"/op/:cancel", "/op/{id}", "id", ":cancel"},
		{"/op/1:other", "/op/{id}", "id", "1:other"},
		{"/op/1:wait/x", "/op/{id}:wait/x", "id", "1"},
		{"/op/1/x", NULL, NULL, NULL},
		{"/a/", NULL, NULL, NULL},
		{"/a//c", NULL, NULL, NULL},
		{"/A", NULL, NULL, NULL},
		{"/files", NULL, NULL, NULL},
		{"/a/1/2", NULL, NULL, NULL},
		{"", NULL, NULL, NULL},
		{"a", NULL, NULL, NULL},
	};
	struct router *router = router_of_patterns();

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct router_match match;
		int rc = router_find(router, cases[i].path, strlen(cases[i].path), HTTP_GET, &match);
		if (!cases[i].pattern) {
			assert_int_equal(rc, -ENOENT);
			continue;
		}
		assert_int_equal(rc, 0);
		assert_string_equal((const char *)match.target, cases[i].pattern);
		if (!cases[i].name)
			continue;
		struct router_param *last = &match.params[match.param_count - 1];
		assert_string_equal(last->name, cases[i].name);
		assert_int_equal(last->value_len, strlen(cases[i].value));
		assert_memory_equal(last->value, cases[i].value, last->value_len);
	}
	router_free(router);
}

static void
tells_methods(void **state)
{
	struct router *router = router_new();
	struct router_match match;
	int get, put;

	(void)state;
	assert_int_equal(router_add(router, "/x/{id}", HTTP_GET, &get), 0);
	assert_int_equal(router_add(router, "/x/{name}", HTTP_PUT, &put), 0);
	assert_int_equal(router_find(router, "/x/1", 4, HTTP_PUT, &match), 0);
	assert_ptr_equal(match.target, &put);
	assert_string_equal(match.params[0].name, "name");
	assert_int_equal(router_find(router, "/x/1", 4, HTTP_HEAD, &match), 0);
	assert_ptr_equal(match.target, &get);
	assert_int_equal(router_find(router, "/x/1", 4, HTTP_DELETE, &match), -EPERM);
	assert_int_equal(match.allow, HTTP_GET | HTTP_HEAD | HTTP_PUT);
	router_free(router);
}

static void
refuses_bad_patterns(void **state)
{
	static const struct {
		const char *pattern;
		int rc;
	} cases[] = {
		{"", -EINVAL},
		{"a", -EINVAL},
		{"/{}", -EINVAL},
		{"/{1}", -EINVAL},
		{"/x{a}", -EINVAL},
		{"/{a}x", -EINVAL},
		{"/{a}:", -EINVAL},
		{"/{}:x", -EINVAL},
		{"/{a}:{b}", -EINVAL},
		{"/{a...}:x", -EINVAL},
		{"/op/{other}:cancel", -EEXIST},
		{"/{rest...}/x", -EINVAL},
		{"/{...}", -EINVAL},
		{"/a/{other}", -EEXIST},
		{"/files/{all...}", -EEXIST},
	};
	struct router *router = router_of_patterns();

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(router_add(router, cases[i].pattern, HTTP_POST, NULL), cases[i].rc);
	router_free(router);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_pattern),
		cmocka_unit_test(tells_methods),
		cmocka_unit_test(refuses_bad_patterns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
