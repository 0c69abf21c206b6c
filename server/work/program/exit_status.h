/* Maps how a program has ended to a client's problem (exit statuses of sysexits.h). */
#pragma once

#include "work/work.h"

#include <signal.h>
#include <stdbool.h>

/* info is as waitid(2) fills it. */
bool exit_status_is_failure(const siginfo_t *info);

/* Makes result the problem that stands for a failure. */
void exit_status_set_problem(const siginfo_t *info, struct work_result *result);
