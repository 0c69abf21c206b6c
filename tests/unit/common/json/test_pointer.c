/* Tests of common/json_pointer.c. */
#include "common/json/pointer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
test_steps(void **state)
{
	struct text pointer = {0};

	json_pointer_add(&pointer, "routes");
	json_pointer_add(&pointer, "");
	json_pointer_add(&pointer, "a/b~c~1");
	assert_string_equal(pointer.data, "/routes//a~1b~0c~01");
	text_fini(&pointer);
}

static void
test_way_back(void **state)
{
	struct text pointer = {0};

	json_pointer_leave(&pointer, 0);
	size_t root = json_pointer_enter(&pointer, "a/b");
	size_t member = json_pointer_enter_index(&pointer, 17);
	assert_string_equal(pointer.data, "/a~1b/17");
	json_pointer_leave(&pointer, member);
	assert_string_equal(pointer.data, "/a~1b");
	json_pointer_leave(&pointer, root);
	assert_string_equal(pointer.data, "");
	text_fini(&pointer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_way_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
