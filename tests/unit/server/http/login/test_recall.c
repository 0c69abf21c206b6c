/* Authorization fields found good: who is remembered, until when, and what is forgotten. */
#include "http/login/recall.h"

#include "common/clock.h"
#include "common/text.h"

#include <stdlib.h>

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

static int
start(void **state)
{
	clock_hold(1000, 0);
	*state = login_recall_new();
	return 0;
}

static int
stop(void **state)
{
	login_recall_free(*state);
	clock_release();
	return 0;
}

static void
test_find(void **state)
{
	struct login_recall *recall = *state;

	assert_null(login_recall_find(recall, "Bearer a"));
	login_recall_add(recall, "Bearer a", "ann", INT64_MAX);
	assert_string_equal(login_recall_find(recall, "Bearer a"), "ann");
	assert_null(login_recall_find(recall, "Bearer A"));
	assert_null(login_recall_find(recall, "Bearer a "));
	assert_null(login_recall_find(recall, "Bearer "));
	assert_null(login_recall_find(recall, ""));
}

static void
test_added_again(void **state)
{
	struct login_recall *recall = *state;

	login_recall_add(recall, "Bearer a", "ann", INT64_MAX);
	login_recall_add(recall, "Bearer a", login_recall_find(recall, "Bearer a"), 2000);
	assert_string_equal(login_recall_find(recall, "Bearer a"), "ann");
	login_recall_add(recall, "Bearer a", "bob", 2000);
	assert_string_equal(login_recall_find(recall, "Bearer a"), "bob");
}

static void
test_until(void **state)
{
	struct login_recall *recall = *state;

	login_recall_add(recall, "Basic a", "ann", 2000);
	clock_hold(1999, 0);
	assert_string_equal(login_recall_find(recall, "Basic a"), "ann");
	clock_hold(2000, 0);
	assert_null(login_recall_find(recall, "Basic a"));
	clock_hold(1000, 0);
	assert_null(login_recall_find(recall, "Basic a"));
}

static void
test_clear(void **state)
{
	struct login_recall *recall = *state;

	login_recall_add(recall, "Bearer a", "ann", INT64_MAX);
	login_recall_clear(recall);
	assert_null(login_recall_find(recall, "Bearer a"));
}

/* However many there are, what is remembered is right, and the latest is. */
static void
test_bound(void **state)
{
	struct login_recall *recall = *state;

	for (int i = 0; i < 10000; i++) {
		char *name = xasprintf("%d", i);
		char *field = xasprintf("Bearer %d", i);
		char *earlier = xasprintf("Bearer %d", i / 2);
		login_recall_add(recall, field, name, INT64_MAX);
		assert_string_equal(login_recall_find(recall, field), name);
		const char *found = login_recall_find(recall, earlier);
		assert_true(!found || atoi(found) == i / 2);
		free(name);
		free(field);
		free(earlier);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_find, start, stop),
		cmocka_unit_test_setup_teardown(test_added_again, start, stop),
		cmocka_unit_test_setup_teardown(test_until, start, stop),
		cmocka_unit_test_setup_teardown(test_clear, start, stop),
		cmocka_unit_test_setup_teardown(test_bound, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
