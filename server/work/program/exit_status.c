/* Exit statuses. */
#include "work/program/exit_status.h"

#include <string.h>
#include <sysexits.h>

/* The exit statuses of sysexits.h: name, and status code for the client. */
static const struct exit_status {
	int exit_status;
	int status;
	const char *name;
} exit_statuses[] = {
	{EX_USAGE, 400, "EX_USAGE"},
	{EX_DATAERR, 400, "EX_DATAERR"},
	{EX_NOINPUT, 404, "EX_NOINPUT"},
	{EX_NOUSER, 500, "EX_NOUSER"},
	{EX_NOHOST, 500, "EX_NOHOST"},
	{EX_UNAVAILABLE, 503, "EX_UNAVAILABLE"},
	{EX_SOFTWARE, 500, "EX_SOFTWARE"},
	{EX_OSERR, 500, "EX_OSERR"},
	{EX_OSFILE, 500, "EX_OSFILE"},
	{EX_CANTCREAT, 500, "EX_CANTCREAT"},
	{EX_IOERR, 500, "EX_IOERR"},
	{EX_TEMPFAIL, 503, "EX_TEMPFAIL"},
	{EX_PROTOCOL, 500, "EX_PROTOCOL"},
	{EX_NOPERM, 403, "EX_NOPERM"},
	{EX_CONFIG, 500, "EX_CONFIG"},
};

static void
set_by_exit(struct work_result *result, int exit_status)
{
	for (size_t i = 0; i < sizeof exit_statuses / sizeof *exit_statuses; i++) {
		const struct exit_status *known = &exit_statuses[i];
		if (known->exit_status == exit_status) {
			work_result_set_problem(result, PROBLEM_PROGRAM_FAILED, known->status,
				"The program ended with exit status %d (%s).", exit_status, known->name);
			return;
		}
	}
	work_result_set_problem(
		result, PROBLEM_PROGRAM_FAILED, 500, "The program ended with exit status %d.", exit_status);
}

static void
set_by_signal(struct work_result *result, int signal)
{
	const char *name = sigabbrev_np(signal);

	if (name)
		work_result_set_problem(result, PROBLEM_PROGRAM_FAILED, 500,
			"The program was ended by signal %d (SIG%s).", signal, name);
	else
		work_result_set_problem(
			result, PROBLEM_PROGRAM_FAILED, 500, "The program was ended by signal %d.", signal);
}

bool
exit_status_is_failure(const siginfo_t *info)
{
	return info->si_code != CLD_EXITED || info->si_status != 0;
}

void
exit_status_set_problem(const siginfo_t *info, struct work_result *result)
{
	if (info->si_code == CLD_EXITED)
		set_by_exit(result, info->si_status);
	else
		set_by_signal(result, info->si_status);
}
