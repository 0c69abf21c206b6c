/* Trace context: what is honoured, and that what we make is. */
#include "common/http/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN "b7ad6b7169203331"

static void
honours_valid_ones(void **state)
{
	static const struct {
		const char *value;
		bool valid;
	} cases[] = {
		{"00-" TRACE "-" SPAN "-01", true},
		{"00-" TRACE "-" SPAN "-00", true},
		{"01-" TRACE "-" SPAN "-01-more", true},
		{"cc-" TRACE "-" SPAN "-01", true},
		{"00-" TRACE "-" SPAN "-01-more", false},
		{"01-" TRACE "-" SPAN "-01more", false},
		{"ff-" TRACE "-" SPAN "-01", false},
		{"00-00000000000000000000000000000000-" SPAN "-01", false},
		{"00-" TRACE "-0000000000000000-01", false},
		{"00-0AF7651916CD43DD8448EB211C80319C-" SPAN "-01", false},
		{"00-" TRACE "-" SPAN, false},
		{"00-" TRACE "-" SPAN "-0", false},
		{"", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(trace_is_valid(cases[i].value), cases[i].valid);
}

static void
makes_valid_ones(void **state)
{
	char first[TRACEPARENT_SIZE], second[TRACEPARENT_SIZE];

	(void)state;
	trace_make(first);
	trace_make(second);
	assert_true(trace_is_valid(first));
	assert_true(trace_is_valid(second));
	assert_string_not_equal(first, second);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(honours_valid_ones),
		cmocka_unit_test(makes_valid_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
