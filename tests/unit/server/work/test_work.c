/* References to work, results, and the control. */
#include "work/work.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int frees;

static void
count_free(struct work *work)
{
	frees++;
}

static void
test_last_reference_frees(void **state)
{
	static const struct work_type type = {.name = "test", .free = count_free};
	struct work work = {.type = &type, .references = 1};

	frees = 0;
	assert_ptr_equal(work_ref(&work), &work);
	work_unref(&work);
	assert_int_equal(frees, 0);
	work_unref(&work);
	assert_int_equal(frees, 1);
	work_unref(NULL);
}

static void
test_problem_replaces_result(void **state)
{
	struct work_result result = {.status = 200, .body = blob_new("x", 1)};

	fields_put(&result.fields, "Content-Type", "text/plain");
	work_result_set_problem(&result, PROBLEM_PROGRAM_FAILED, 404, "status %d", 66);
	assert_int_equal(result.problem, PROBLEM_PROGRAM_FAILED);
	assert_int_equal(result.status, 404);
	assert_int_equal(result.fields.len, 0);
	assert_null(result.body);
	assert_string_equal(result.detail, "status 66");

	/* The detail may be made of the one that it replaces. */
	work_result_set_problem(&result, PROBLEM_INTERNAL, 0, "again: %s", result.detail);
	assert_int_equal(result.status, problem_status(PROBLEM_INTERNAL));
	assert_string_equal(result.detail, "again: status 66");
	work_result_fini(&result);
	assert_null(result.detail);
	work_result_fini(&result);
}

static bool
is_readable(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

	return poll(&poll_fd, 1, 0) == 1;
}

static void
test_stop_only_grows(void **state)
{
	struct work_control control;
	uint64_t count;

	assert_int_equal(work_control_init(&control), 0);
	assert_int_equal(control.spool_fd, -1);
	assert_false(is_readable(control.wake_fd));
	work_control_stop(&control, WORK_GOES_ON);
	assert_false(is_readable(control.wake_fd));

	work_control_stop(&control, WORK_STOP);
	assert_int_equal(control.stop, WORK_STOP);
	assert_true(is_readable(control.wake_fd));
	assert_int_equal(read(control.wake_fd, &count, sizeof count), sizeof count);

	work_control_stop(&control, WORK_STOP);
	assert_false(is_readable(control.wake_fd));
	work_control_stop(&control, WORK_KILL);
	assert_int_equal(control.stop, WORK_KILL);
	assert_true(is_readable(control.wake_fd));
	assert_int_equal(read(control.wake_fd, &count, sizeof count), sizeof count);
	work_control_stop(&control, WORK_STOP);
	assert_int_equal(control.stop, WORK_KILL);
	assert_false(is_readable(control.wake_fd));

	work_control_fini(&control);
	work_control_fini(&control);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_last_reference_frees),
		cmocka_unit_test(test_problem_replaces_result),
		cmocka_unit_test(test_stop_only_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
