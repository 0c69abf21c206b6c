/* Targets: what is escaped in a path, and what in a query. */
#include "http/message/target.h"

#include <stdlib.h>
#include <string.h>

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

static void
test_escape(void **state)
{
	static const struct {
		const char *target;
		const char *escaped; /* NULL: it is good as it is */
	} cases[] = {
		{"/", NULL},
		{"*", NULL},
		{"/a%5bb/-._~!$&'()*+,;=:@", NULL},
		{"/?a=b&c[0]={x|y}&d=/?:@!$'()*+,;-._~%41%fF", NULL},
		{"/a[b]|^", "/a%5Bb%5D%7C%5E"},
		{"/[?[]|", "/%5B?[]|"},
		{"/?a=x^2", "/?a=x%5E2"},
		{"/?^`\\", "/?%5E%60%5C"},
		{"/?%", "/?%25"},
		{"/?%4", "/?%254"},
		{"/?%4g%g4", "/?%254g%25g4"},
		{"/?100%&b=%41", "/?100%25&b=%41"},
		{"/?%%41%%", "/?%25%41%25%25"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t len = 0;
		char *escaped = target_escape(cases[i].target, strlen(cases[i].target), &len);
		if (cases[i].escaped) {
			assert_non_null(escaped);
			assert_string_equal(escaped, cases[i].escaped);
			assert_int_equal(len, strlen(escaped));
		} else {
			assert_null(escaped);
		}
		free(escaped);
	}
}

/* What stands behind the target does not count. */
static void
test_end(void **state)
{
	size_t len = 0;
	char *escaped = target_escape("/?%41", 4, &len);

	(void)state;
	assert_string_equal(escaped, "/?%254");
	free(escaped);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_escape), cmocka_unit_test(test_end)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
