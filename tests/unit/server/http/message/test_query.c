/* Queries: the walk over their parameters, and the value of one by its name. */
#include "http/message/query.h"

#include "common/text.h"

#include <stdlib.h>
#include <string.h>

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

/* Each query, and its parameters as "raw(name)(value);". */
static const struct {
	const char *query;
	const char *params;
} walks[] = {
	{NULL, ""},
	{"", ""},
	{"a", "a(a)();"},
	{"a=", "a=(a)();"},
	{"a=b", "a=b(a)(b);"},
	{"=b", "=b()(b);"},
	{"a=b=c", "a=b=c(a)(b=c);"},
	{"a&b=1", "a(a)();b=1(b)(1);"},
	{"&&a=1&&&b&", "a=1(a)(1);b(b)();"},
	{"a%20=%26&a+=%3d", "a%20=%26(a%20)(%26);a+=%3d(a+)(%3d);"},
};

static void
test_walk(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof walks / sizeof *walks; i++) {
		const char *at = walks[i].query;
		struct http_query_param param;
		struct text params = {0};

		text_add_string(&params, "");
		while (http_query_next(&at, &param))
			text_addf(&params, "%.*s(%.*s)(%.*s);", (int)param.raw_len, param.raw,
				(int)param.name_len, param.name, (int)param.value_len, param.value);
		assert_string_equal(params.data ? params.data : "", walks[i].params);
		assert_false(http_query_next(&at, &param));
		text_fini(&params);
	}
}

static const struct {
	const char *query, *name;
	const char *value; /* NULL: there is none of that name */
} finds[] = {
	{NULL, "a", NULL}, {"", "a", NULL}, {"b=1", "a", NULL}, {"aa=1", "a", NULL}, {"a=1&a=2", "a", "1"},
	{"b=1&a", "a", ""}, {"a=x%20y+z", "a", "x y z"}, {"%61=1", "a", "1"}, {"a+b=1", "a b", "1"},
	{"A=1", "a", NULL}, {"a=%2", "a", ""}, /* the guard lets no broken escape come here */
};

static void
test_find(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof finds / sizeof *finds; i++) {
		char *value = http_query_find(finds[i].query, finds[i].name);
		if (finds[i].value)
			assert_string_equal(value, finds[i].value);
		else
			assert_null(value);
		free(value);
	}
}

static void
test_decode(void **state)
{
	(void)state;
	char *path = http_query_decode("a+b%2Bc", 7, false);
	char *form = http_query_decode("a+b%2Bc", 7, true);
	char *part = http_query_decode("abc", 2, true);

	assert_string_equal(path, "a+b+c");
	assert_string_equal(form, "a b+c");
	assert_string_equal(part, "ab");
	free(path);
	free(form);
	free(part);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_decode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
