/* Lists of strings. */
#include "common/string_list.h"

#include "common/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
test_grows_and_ends_with_null(void **state)
{
	struct string_list list = {0};

	for (size_t i = 0; i < 100; i++) {
		string_list_take(&list, xasprintf("%zu", i));
		assert_int_equal(list.count, i + 1);
		assert_null(list.items[i + 1]);
	}
	assert_string_equal(list.items[0], "0");
	assert_string_equal(list.items[99], "99");
	string_list_fini(&list);
	assert_null(list.items);
	string_list_fini(&list);
}

static void
test_copies(void **state)
{
	char a[] = "a", empty[] = "";
	char *from[] = {a, empty, NULL};
	struct string_list list = {0};

	string_list_copy(&list, NULL);
	assert_int_equal(list.count, 0);
	string_list_copy(&list, from);
	a[0] = 'x';
	assert_int_equal(list.count, 2);
	assert_string_equal(list.items[0], "a");
	assert_string_equal(list.items[1], "");
	string_list_fini(&list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows_and_ends_with_null),
		cmocka_unit_test(test_copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
