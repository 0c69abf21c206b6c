/* Limits of a program. */
#include "work/process/limits.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>

/* The soft limit of descriptors for programs; RLIM_INFINITY: the same as ours. */
static rlim_t own_open_files = RLIM_INFINITY;

void
program_limits_start(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		own_open_files = limit.rlim_cur;
}

/* Lowers a limit to value, or leaves it if it is lower; the hard one only where it is to last. */
static int
lower(__rlimit_resource_t resource, rlim_t value, bool is_hard)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) < 0)
		return -errno;
	if (limit.rlim_cur > value)
		limit.rlim_cur = value;
	if (is_hard && limit.rlim_max > value)
		limit.rlim_max = value;
	return setrlimit(resource, &limit) < 0 ? -errno : 0;
}

static int
set_own(const struct program_limits *limits)
{
	const struct {
		__rlimit_resource_t resource;
		uint64_t value; /* 0: none */
	} rows[] = {
		{RLIMIT_CPU, (uint64_t)(limits->cpu_time_ms + 999) / 1000},
		{RLIMIT_AS, limits->address_space_bytes},
		{RLIMIT_FSIZE, limits->file_size_bytes},
		{RLIMIT_NOFILE, limits->open_files},
		{RLIMIT_NPROC, limits->processes},
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof rows / sizeof *rows; i++)
		if (rows[i].value > 0)
			rc = lower(rows[i].resource, rows[i].value, true);
	return rc;
}

int
program_limits_set(const struct program_limits *limits)
{
	int rc = limits && limits->open_files > 0 ? 0 : lower(RLIMIT_NOFILE, own_open_files, false);

	return rc == 0 && limits ? set_own(limits) : rc;
}
