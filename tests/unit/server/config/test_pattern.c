/* Tests of server/pattern.c. */
#include "config/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct pattern_case {
	const char *pattern;
	const char *mistake; /* NULL: none */
	const char *shape;   /* of a good one */
};

static const struct pattern_case cases[] = {
	{"/", NULL, "/"},
	{"/a", NULL, "/a"},
	{"/a/", NULL, "/a/"},
	{"/a/{b}", NULL, "/a/{}"},
	{"/a/{name}/{rest...}", NULL, "/a/{}/{...}"},
	{"/{all...}", NULL, "/{...}"},
	{"/{_}/{_9}/x", NULL, "/{}/{}/x"},
	{"/-._~!$&'()*+,;=:@aZ09", NULL, "/-._~!$&'()*+,;=:@aZ09"},
	{"/...", NULL, "/..."},
	{"", "does not begin with a slash", NULL},
	{"a/b", "does not begin with a slash", NULL},
	{"//", "has an empty segment", NULL},
	{"//a", "has an empty segment", NULL},
	{"/a//b", "has an empty segment", NULL},
	{"/a//", "has an empty segment", NULL},
	{"/.", "has a dot segment", NULL},
	{"/a/../b", "has a dot segment", NULL},
	{"/a/{b}/{b}", "has {b} twice", NULL},
	{"/{b}/a/{b...}", "has {b} twice", NULL},
	{"/{rest...}/a", "has {rest...} before its end", NULL},
	{"/{rest...}/", "has {rest...} before its end", NULL},
	{"/a{b}", "has a brace outside a parameter, in \"a{b}\"", NULL},
	{"/{b}.png", "has a brace outside a parameter, in \"{b}.png\"", NULL},
	{"/{b}{c}", "has a brace outside a parameter, in \"{b}{c}\"", NULL},
	{"/{}", "has a brace outside a parameter, in \"{}\"", NULL},
	{"/{", "has a brace outside a parameter, in \"{\"", NULL},
	{"/xab}", "has a brace outside a parameter, in \"xab}\"", NULL},
	{"/{abx", "has a brace outside a parameter, in \"{abx\"", NULL},
	{"/}", "has a brace outside a parameter, in \"}\"", NULL},
	{"/{...}", "has a brace outside a parameter, in \"{...}\"", NULL},
	{"/{a..}", "has a brace outside a parameter, in \"{a..}\"", NULL},
	{"/{a....}", "has a brace outside a parameter, in \"{a....}\"", NULL},
	{"/{9a}", "has a brace outside a parameter, in \"{9a}\"", NULL},
	{"/{a-b}", "has a brace outside a parameter, in \"{a-b}\"", NULL},
	{"/{a/b}", "has a brace outside a parameter, in \"{a\"", NULL},
	{"/a?b=c", "has a query or a fragment", NULL},
	{"/a#b", "has a query or a fragment", NULL},
	{"/a%20b", "has a percent sign: write patterns without percent-encoding", NULL},
	{"/a b", "has a character that is not allowed in a path", NULL},
	{"/a\\b", "has a character that is not allowed in a path", NULL},
	{"/\xc3\xa4", "has a character that is not allowed in a path", NULL},
	{"/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}/{j}/{k}/{l}/{m}/{n}/{o...}", NULL,
		"/{}/{}/{}/{}/{}/{}/{}/{}/{}/{}/{}/{}/{}/{}/{...}"},
	{"/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}/{j}/{k}/{l}/{m}/{n}/{o}/{p}", "has more than 15 parameters",
		NULL},
	{"/a\n", "has a character that is not allowed in a path", NULL},
};

static void
check_shape(const char *pattern, const char *expected)
{
	struct text shape = {0};

	pattern_add_shape(&shape, pattern);
	assert_string_equal(shape.data, expected);
	text_fini(&shape);
}

static void
test_cases(void **state)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *mistake = pattern_mistake(cases[i].pattern);
		if ((mistake == NULL) != (cases[i].mistake == NULL) ||
			(mistake && strcmp(mistake, cases[i].mistake) != 0))
			fail_msg("%s: %s", cases[i].pattern, mistake ? mistake : "no mistake");
		if (!mistake)
			check_shape(cases[i].pattern, cases[i].shape);
		free(mistake);
	}
}

static void
test_length(void **state)
{
	char pattern[PATTERN_MAX + 2];

	memset(pattern, 'a', sizeof pattern);
	pattern[0] = '/';
	pattern[PATTERN_MAX + 1] = '\0';
	char *mistake = pattern_mistake(pattern);
	assert_string_equal(mistake, "is longer than 1024 bytes");
	free(mistake);
	pattern[PATTERN_MAX] = '\0';
	assert_null(pattern_mistake(pattern));
}

static void
test_names(void **state)
{
	static const char *const expected[] = {"zone_id", "x", "rest"};
	char **names = pattern_names("/v2/{zone_id}/a/{x}/{rest...}");

	assert_int_equal(pattern_count_names("/v2/{zone_id}/a/{x}/{rest...}"), 3);
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(names[i], expected[i]);
		free(names[i]);
	}
	assert_null(names[3]);
	free(names);
	names = pattern_names("/");
	assert_null(names[0]);
	free(names);
}

static void
test_is_name(void **state)
{
	assert_true(pattern_is_name("a", 1));
	assert_true(pattern_is_name("_9", 2));
	assert_true(pattern_is_name("a-", 1));
	assert_false(pattern_is_name("", 0));
	assert_false(pattern_is_name("9", 1));
	assert_false(pattern_is_name("a-", 2));
	assert_false(pattern_is_name("a\0", 2));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_is_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
