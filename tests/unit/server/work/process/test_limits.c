/* Limits of a program: what a process that has set them finds. */
#include "common/text.h"
#include "work/process/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* What is asked of a child, which sets the limits and looks. */
struct look {
	const struct program_limits *limits;
	__rlimit_resource_t resource;
	rlim_t soft, hard;
};

static rlim_t
least(rlim_t a, rlim_t b)
{
	return a < b ? a : b;
}

static int
look_at(const struct look *look)
{
	struct rlimit before, after;

	if (getrlimit(look->resource, &before) < 0 || program_limits_set(look->limits) != 0 ||
		getrlimit(look->resource, &after) < 0)
		return 2;
	return after.rlim_cur == least(look->soft, before.rlim_cur) &&
			       after.rlim_max == least(look->hard, before.rlim_max)
		       ? 0
		       : 1;
}

static void
check(const struct look *look)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(look_at(look));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
test_limits(void **state)
{
	static const struct program_limits none,
		cpu_0 = {.cpu_time_ms = 1}, cpu_1 = {.cpu_time_ms = 1000}, cpu_2 = {.cpu_time_ms = 1001},
		space = {.address_space_bytes = 1ULL << 40}, size = {.file_size_bytes = 3},
		files = {.open_files = 20}, processes = {.processes = 5};
	static const struct look looks[] = {
		{&none, RLIMIT_CPU, RLIM_INFINITY, RLIM_INFINITY},
		{&cpu_0, RLIMIT_CPU, 1, 1},
		{&cpu_1, RLIMIT_CPU, 1, 1},
		{&cpu_2, RLIMIT_CPU, 2, 2},
		{&cpu_2, RLIMIT_FSIZE, RLIM_INFINITY, RLIM_INFINITY},
		{&space, RLIMIT_AS, 1ULL << 40, 1ULL << 40},
		{&size, RLIMIT_FSIZE, 3, 3},
		{&files, RLIMIT_NOFILE, 20, 20},
		{&processes, RLIMIT_NPROC, 5, 5},
	};

	(void)state;
	for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
		check(&looks[i]);
}

/* One that we could not set ourselves is no mistake: it is lower already. */
static void
test_beyond_ours(void **state)
{
	static const struct program_limits many = {.open_files = 1000000, .file_size_bytes = 1ULL << 50};
	struct rlimit low = {.rlim_cur = 1000, .rlim_max = 2000}, before;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	int status;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct rlimit after = {0};
		bool good = setrlimit(RLIMIT_NOFILE, &low) == 0 && setrlimit(RLIMIT_FSIZE, &low) == 0 &&
			    program_limits_set(&many) == 0 && getrlimit(RLIMIT_NOFILE, &after) == 0 &&
			    after.rlim_cur == 1000 && after.rlim_max == 2000 &&
			    getrlimit(RLIMIT_FSIZE, &after) == 0 && after.rlim_cur == 1000;
		_exit(good ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Programs begin with the soft limit that we began with, and may raise it as we have. */
static void
test_descriptors_given_back(void **state)
{
	struct rlimit raised;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &raised), 0);
	struct rlimit low = {.rlim_cur = 50, .rlim_max = raised.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	program_limits_start();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &raised), 0);
	check(&(struct look){NULL, RLIMIT_NOFILE, 50, RLIM_INFINITY});
	const struct program_limits files = {.open_files = 60};
	check(&(struct look){&files, RLIMIT_NOFILE, 60, 60});
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_beyond_ours),
		cmocka_unit_test(test_descriptors_given_back),
	};

	return cmocka_run_group_tests_name("program_limits", tests, NULL, NULL);
}
