/* Which style serves a request, and that a row is all that a new style needs to be chosen. */
#include "calls/call/choose.h"
#include "calls/call/preference.h"
#include "styles/style_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static enum style_claim
asks_planted(const struct style_request *request)
{
	return request->preferences->respond_async ? STYLE_ASKED : STYLE_NOT_ASKED;
}

static const struct style planted = {.name = "planted", .asks = asks_planted};

static const struct {
	const char *prefer;
	bool is_async, is_safe;
	const char *of_route;	    /* NULL: the route is synchronous */
	const char *expects, *also; /* NULL: none */
} cases[] = {
	{"", false, false, NULL, NULL, NULL},
	{"", false, false, "status", "status", NULL},
	{"", false, true, "status", NULL, NULL},
	{"", true, false, "status", "location", NULL},
	{"respond-async", false, false, "token", "prefer", NULL},
	{"respond-async", false, true, "token", "prefer", NULL},
	{"respond-async", true, false, NULL, "location", "prefer"},
	{"wait=5", false, false, NULL, "prefer", NULL},
	{"wait=5", false, false, "token", "token", NULL},
	{"wait=5", false, true, NULL, NULL, NULL},
	{"wait=0", false, false, NULL, NULL, NULL},
	{"wait=5", true, false, NULL, "location", NULL},
};

static void
assert_style(const struct style *style, const char *name)
{
	if (name)
		assert_string_equal(style ? style->name : "none", name);
	else
		assert_null(style);
}

static void
test_request_chooses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct preferences preferences = {0};
		const struct style *of_route = cases[i].of_route ? style_find(cases[i].of_route) : NULL;
		const struct style *also;

		preferences_parse(&preferences, cases[i].prefer);
		struct style_request request = {&preferences, cases[i].is_async, cases[i].is_safe};
		assert_style(style_choose(style_table, &request, of_route, &also), cases[i].expects);
		assert_style(also, cases[i].also);
	}
}

static void
test_planted_row_is_chosen(void **state)
{
	const struct style *table[16] = {&planted};
	struct preferences preferences = {.respond_async = true};
	struct style_request request = {.preferences = &preferences};
	const struct style *also;

	(void)state;
	for (size_t i = 0; style_table[i]; i++)
		table[i + 1] = style_table[i];
	assert_ptr_equal(style_choose(table, &request, NULL, &also), &planted);
	assert_style(also, "prefer");
}

static void
test_names(void **state)
{
	(void)state;
	for (size_t i = 0; style_table[i]; i++) {
		assert_ptr_equal(style_find(style_table[i]->name), style_table[i]);
		assert_ptr_equal(style_find_name(style_table[i]->name), style_table[i]->name);
	}
	assert_null(style_find("sync"));
	assert_null(style_find_name(""));
}

/* A style that a request may ask for says how, and does so truly. */
static void
test_words(void **state)
{
	(void)state;
	for (const struct style *const *style = style_table; *style; style++) {
		const struct style_words *words = &(*style)->words;
		struct preferences preferences = {0};
		if (words->field) {
			assert_memory_equal(words->field, "Prefer: ", 8);
			preferences_parse(&preferences, words->field + 8);
		}
		struct style_request request = {.preferences = &preferences, .is_async = words->query};
		if (words->query)
			assert_string_equal(words->query, "async=true");
		assert_int_equal((*style)->asks != NULL, words->query || words->field);
		if ((*style)->asks)
			assert_int_equal((*style)->asks(&request), STYLE_ASKED);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_chooses),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_planted_row_is_chosen),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
