/* How a program has ended, and what that is for a client. */
#include "work/program/exit_status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	int code;   /* si_code */
	int number; /* si_status */
	int status;
	const char *detail;
} cases[] = {
	{CLD_EXITED, 1, 500, "The program ended with exit status 1."},
	{CLD_EXITED, 64, 400, "The program ended with exit status 64 (EX_USAGE)."},
	{CLD_EXITED, 65, 400, "The program ended with exit status 65 (EX_DATAERR)."},
	{CLD_EXITED, 66, 404, "The program ended with exit status 66 (EX_NOINPUT)."},
	{CLD_EXITED, 67, 500, "The program ended with exit status 67 (EX_NOUSER)."},
	{CLD_EXITED, 69, 503, "The program ended with exit status 69 (EX_UNAVAILABLE)."},
	{CLD_EXITED, 70, 500, "The program ended with exit status 70 (EX_SOFTWARE)."},
	{CLD_EXITED, 75, 503, "The program ended with exit status 75 (EX_TEMPFAIL)."},
	{CLD_EXITED, 77, 403, "The program ended with exit status 77 (EX_NOPERM)."},
	{CLD_EXITED, 78, 500, "The program ended with exit status 78 (EX_CONFIG)."},
	{CLD_EXITED, 79, 500, "The program ended with exit status 79."},
	{CLD_EXITED, 255, 500, "The program ended with exit status 255."},
	{CLD_KILLED, SIGKILL, 500, "The program was ended by signal 9 (SIGKILL)."},
	{CLD_DUMPED, SIGSEGV, 500, "The program was ended by signal 11 (SIGSEGV)."},
	{CLD_KILLED, 40, 500, "The program was ended by signal 40."},
};

static void
test_failures(void **state)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		siginfo_t info = {.si_code = cases[i].code};
		struct work_result result = {0};

		info.si_status = cases[i].number;
		assert_true(exit_status_is_failure(&info));
		exit_status_set_problem(&info, &result);
		assert_int_equal(result.problem, PROBLEM_PROGRAM_FAILED);
		assert_int_equal(result.status, cases[i].status);
		assert_string_equal(result.detail, cases[i].detail);
		work_result_fini(&result);
	}
}

static void
test_success(void **state)
{
	siginfo_t info = {.si_code = CLD_EXITED};

	assert_false(exit_status_is_failure(&info));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_success),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
