/* Tests of server/config/machine.c, and of the warnings that come from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/text.h"
#include "config/machine.h"
#include "config/private.h"

static char place[] = "/tmp/deferd-machine-XXXXXX";

static void
make_directory(const char *name)
{
	CLEANUP_FREE char *path = xasprintf("%s/%s", place, name);

	assert_int_equal(mkdir(path, 0755), 0);
}

static void
make_file(const char *name, const char *content)
{
	CLEANUP_FREE char *path = xasprintf("%s/%s", place, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(content, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void
set_mode(const char *name, mode_t mode)
{
	CLEANUP_FREE char *path = xasprintf("%s/%s", place, name);

	assert_int_equal(chmod(path, mode), 0);
}

static int
make_place(void **state)
{
	static const char *const names[] = {"proc", "proc/self", "sys", "sys/fs", "sys/fs/cgroup",
		"sys/fs/cgroup/system.slice", "sys/fs/cgroup/system.slice/deferd.service", "open", "sticky"};

	if (!mkdtemp(place))
		return -1;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		make_directory(names[i]);
	return 0;
}

static int
remove_place(void **state)
{
	CLEANUP_FREE char *command = xasprintf("rm -r %s", place);

	return system(command);
}

static void
check_limits(const char *group, uint64_t memory_bytes, uint64_t tasks)
{
	struct machine_limits limits;

	make_file("proc/self/cgroup", group);
	machine_get_limits(place, &limits);
	assert_int_equal(limits.memory_bytes, memory_bytes);
	assert_int_equal(limits.tasks, tasks);
}

static void
test_limits(void **state)
{
	struct machine_limits limits;

	machine_get_limits(place, &limits);
	uint64_t all = limits.memory_bytes;
	assert_true(all > 1 << 20 && all < UINT64_MAX);
	check_limits("1:cpu:/x\n", all, UINT64_MAX);
	check_limits("0::/system.slice/deferd.service\n", all, UINT64_MAX);

	/* the least of the group and those above it */
	make_file("sys/fs/cgroup/system.slice/deferd.service/pids.max", "4915\n");
	make_file("sys/fs/cgroup/system.slice/deferd.service/memory.max", "max\n");
	make_file("sys/fs/cgroup/system.slice/memory.max", "1000000\n");
	make_file("sys/fs/cgroup/system.slice/pids.max", "9000\n");
	check_limits("4:memory:/y\n0::/system.slice/deferd.service\n", 1000000, 4915);
	check_limits("0::/system.slice\n", 1000000, 9000);
	check_limits("0::/system.slice/other.service\n", 1000000, 9000);

	/* in a container the group is at the top */
	make_file("sys/fs/cgroup/pids.max", "100\n");
	check_limits("0::/\n", all, 100);
	check_limits("0::/system.slice/deferd.service\n", 1000000, 100);
}

static void
check_workers(unsigned workers, uint64_t memory_bytes, uint64_t tasks, const char *lines)
{
	struct machine_limits limits = {.memory_bytes = memory_bytes, .tasks = tasks};
	struct config config = {.workers = workers};
	struct settings settings = {0};

	config_advise_workers(&settings, &config, &limits);
	assert_string_equal(settings.mistakes.warnings.data ? settings.mistakes.warnings.data : "", lines);
	mistakes_fini(&settings.mistakes);
}

static void
test_workers(void **state)
{
	check_workers(10000, UINT64_MAX, UINT64_MAX, "");
	check_workers(16, UINT64_C(64) << 20, 64, "");
	check_workers(17, UINT64_C(64) << 20, 64,
		"/workers: 17 small programs at once need 68 MiB, and there are 64 MiB of memory\n"
		"/workers: 17 programs at once need 66 threads and processes, and 64 are allowed "
		"(TasksMax)\n");
}

static void
test_network(void **state)
{
	assert_true(machine_is_network(0x6969));
	assert_true(machine_is_network((int32_t)0xff534d42));
	assert_false(machine_is_network(0xef53)); /* ext4 */
	assert_false(machine_is_on_network("/proc"));
	assert_false(machine_is_on_network("/nowhere"));
}

static bool
is_open(const char *name)
{
	CLEANUP_FREE char *path = xasprintf("%s/%s", place, name);

	return machine_is_open_to_all(path);
}

static void
test_open_to_all(void **state)
{
	make_file("program", "");
	set_mode("program", 0755);
	assert_false(is_open("program"));
	set_mode("program", 0757);
	assert_true(is_open("program"));
	set_mode("program", 0775);
	assert_false(is_open("program"));

	make_file("open/program", "");
	set_mode("open", 0777);
	assert_true(is_open("open/program"));
	make_file("sticky/program", "");
	set_mode("sticky", 01777);
	assert_false(is_open("sticky/program"));
	assert_false(machine_is_open_to_all("/nowhere/program"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_workers),
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_open_to_all),
	};

	return cmocka_run_group_tests(tests, make_place, remove_place);
}
