/* What an Authorization field holds. */
#include "http/login/credentials.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *field;
	const char *name;
	const char *secret; /* NULL: it is refused */
} cases[] = {
	{"Basic YW5uOnNlY3JldA==", "ann", "secret"},
	{"bASIC   YW5uOnNlY3JldA==", "ann", "secret"},
	{"Basic Og==", "", ""},
	{"Basic YTo=", "a", ""},
	{"Basic YTpiOmM=", "a", "b:c"},
	{"Basic w6Q6w7Y=", "\xc3\xa4", "\xc3\xb6"},
	{"Bearer tok", NULL, "tok"},
	{"bearer a.b-c_d~e+f/g==", NULL, "a.b-c_d~e+f/g=="},
	{"", NULL, NULL},
	{" ", NULL, NULL},
	{"Basic", NULL, NULL},
	{"Basic ", NULL, NULL},
	{"BasicYW5uOnNlY3JldA==", NULL, NULL},
	{"Basic\tYW5uOnNlY3JldA==", NULL, NULL},
	{"Basic YW5u", NULL, NULL},
	{"Basic YW5uOnNlY3JldA", NULL, NULL},
	{"Basic YW5uOnNlY3JldA=", NULL, NULL},
	{"Basic YW5uOnNlY3JldA===", NULL, NULL},
	{"Basic YW5u=OnNlY3JldA==", NULL, NULL},
	{"Basic YW5uOnNlY3JldA== ", NULL, NULL},
	{"Basic YW5uO nNlY3JldA==", NULL, NULL},
	{"Basic YW4AOnNlY3JldA==", NULL, NULL},
	{"Basic YW5uOgA=", NULL, NULL},
	{"Basic ====", NULL, NULL},
	{"Basic YW5uOnNlY3Jl_-==", NULL, NULL},
	{"Bearer", NULL, NULL},
	{"Bearer ", NULL, NULL},
	{"Bearer =", NULL, NULL},
	{"Bearer a=b", NULL, NULL},
	{"Bearer a b", NULL, NULL},
	{"Bearer a,b", NULL, NULL},
	{"Bearer \xc3\xa4", NULL, NULL},
	{"Digest username=\"ann\"", NULL, NULL},
	{"YW5uOnNlY3JldA==", NULL, NULL},
};

static void
test_cases(void **state)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct credentials credentials = {0};
		int rc = credentials_parse(cases[i].field, &credentials);
		if (rc != (cases[i].secret ? 0 : -EINVAL))
			fail_msg("%s: %d", cases[i].field, rc);
		if (rc < 0) {
			assert_null(credentials.secret);
			continue;
		}
		assert_string_equal(credentials.secret, cases[i].secret);
		assert_int_equal(credentials.scheme, cases[i].name ? CREDENTIALS_BASIC : CREDENTIALS_BEARER);
		if (cases[i].name)
			assert_string_equal(credentials.name, cases[i].name);
		else
			assert_null(credentials.name);
		credentials_fini(&credentials);
		assert_null(credentials.secret);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
