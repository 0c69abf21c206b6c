/* Prefer: what is honoured, what is ignored, and that nothing malformed is an error. */
#include "calls/call/preference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *lines[3];
	bool async;
	int64_t wait_ms; /* -1: no wait */
	const char *wait;
} cases[] = {
	{{"respond-async"}, true, -1, ""},
	{{"Respond-ASYNC"}, true, -1, ""},
	{{" respond-async , wait=5"}, true, 5000, "wait=5"},
	{{"wait=5;x=y, respond-async; foo=\"a,b\""}, true, 5000, "wait=5"},
	{{"wait=5", "respond-async"}, true, 5000, "wait=5"},
	{{"wait = 5"}, false, 5000, "wait=5"},
	{{"wait=\"7\""}, false, 7000, "wait=7"},
	{{"wait-ms=250"}, false, 250, "wait-ms=250"},
	{{"Wait=3"}, false, 3000, "wait=3"},
	{{"wait=0"}, false, 0, "wait=0"},
	{{"wait=1, wait=9"}, false, 1000, "wait=1"},
	{{"wait=1", "wait=9"}, false, 1000, "wait=1"},
	{{"wait=x, wait=9"}, false, -1, ""},
	{{"wait=-1"}, false, -1, ""},
	{{"wait=1.5"}, false, -1, ""},
	{{"wait="}, false, -1, ""},
	{{"wait"}, false, -1, ""},
	{{"respond-asynchronously"}, false, -1, ""},
	{{"x-respond-async=true"}, false, -1, ""},
	{{"respond-async=x"}, false, -1, ""},
	{{"respond-async=\"\""}, true, -1, ""},
	{{"respond-async=x, respond-async"}, false, -1, ""},
	{{"\"respond-async\""}, false, -1, ""},
	{{"foo=\"respond-async\""}, false, -1, ""},
	{{"foo=\"a, respond-async, b\""}, false, -1, ""},
	{{"foo=\"never ends, respond-async"}, false, -1, ""},
	{{"foo=\"a\\\", respond-async\", wait=2"}, false, 2000, "wait=2"},
	{{",,;;==, respond-async ,,"}, true, -1, ""},
	{{"respond-async foo"}, false, -1, ""},
	{{"return=minimal, handling=strict, respond-async"}, true, -1, ""},
	{{""}, false, -1, ""},
};

static void
honours_what_is_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct preferences preferences = {0};
		for (size_t k = 0; k < 3 && cases[i].lines[k]; k++)
			preferences_parse(&preferences, cases[i].lines[k]);
		if (preferences.respond_async != cases[i].async ||
			preferences.has_wait != (cases[i].wait_ms >= 0))
			fail_msg("\"%s\"", cases[i].lines[0]);
		if (!preferences.has_wait)
			continue;
		assert_int_equal(preferences.wait_ms, cases[i].wait_ms);
		assert_string_equal(preferences.wait, cases[i].wait);
	}
}

static void
cuts_huge_numbers(void **state)
{
	struct preferences preferences = {0};

	(void)state;
	preferences_parse(&preferences, "wait=999999999999999999999");
	assert_true(preferences.has_wait);
	assert_true(preferences.wait_ms > 1000000000000);
	assert_string_equal(preferences.wait, "wait=999999999999999999999");
	preferences = (struct preferences){0};
	preferences_parse(&preferences,
		"wait=9999999999999999999999999999999999999999999999999999999999999999999999999");
	assert_false(preferences.has_wait);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(honours_what_is_known),
		cmocka_unit_test(cuts_huge_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
