/* The query parameter async: what it says, and what is left of the query. */
#include "calls/call/async_param.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *query;
	enum async_param said;
	const char *rest;
} cases[] = {
	{NULL, ASYNC_SILENT, NULL},
	{"", ASYNC_SILENT, ""},
	{"async=true", ASYNC_TRUE, NULL},
	{"async=TRUE", ASYNC_TRUE, NULL},
	{"async=1", ASYNC_TRUE, NULL},
	{"async=false", ASYNC_FALSE, NULL},
	{"async=False", ASYNC_FALSE, NULL},
	{"async=0", ASYNC_FALSE, NULL},
	{"async=01", ASYNC_MALFORMED, NULL},
	{"async=yes", ASYNC_MALFORMED, NULL},
	{"async=", ASYNC_MALFORMED, NULL},
	{"async", ASYNC_MALFORMED, NULL},
	{"async=true%00", ASYNC_MALFORMED, NULL},
	{"async=tttttttttttttttttttttttttttttttttttttttttttttttt", ASYNC_MALFORMED, NULL},
	{"async=true&async=1", ASYNC_TRUE, NULL},
	{"async=true&async=0", ASYNC_MALFORMED, NULL},
	{"async=x&async=true", ASYNC_MALFORMED, NULL},
	{"%61syn%63=%74rue", ASYNC_TRUE, NULL},
	{"ASYNC=true", ASYNC_SILENT, "ASYNC=true"},
	{"asynch=true", ASYNC_SILENT, "asynch=true"},
	{"a=1&async=true&b=2", ASYNC_TRUE, "a=1&b=2"},
	{"a+b=%26&async=true", ASYNC_TRUE, "a+b=%26"},
	{"a=async=true", ASYNC_SILENT, "a=async=true"},
};

static void
says_what_it_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *rest = NULL;
		enum async_param said = async_param_read(cases[i].query, &rest);
		if (said != cases[i].said)
			fail_msg("%s says %d", cases[i].query, said);
		if (!rest != !cases[i].rest || (rest && strcmp(rest, cases[i].rest) != 0))
			fail_msg("%s leaves %s", cases[i].query, rest ? rest : "nothing");
		free(rest);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_it_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
