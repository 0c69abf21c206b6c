/* Limits of a program: see program_limits.h. */
#include "work/program_limits.h"

#include "common/text.h"

#define NICE "/usr/bin/nice"
#define PRLIMIT "/usr/bin/prlimit"

static void
add_limit(struct string_list *argv, const char *name, uint64_t value)
{
	if (value == 0)
		return;
	if (argv->count == 0 || argv->items[argv->count - 1][0] != '-')
		string_list_take(argv, xstrdup(PRLIMIT));
	string_list_take(argv, xasprintf("--%s=%llu", name, (unsigned long long)value));
}

void
program_limits_add_command(const struct program_limits *limits, unsigned nice, struct string_list *ret_argv)
{
	struct string_list argv = {0};

	add_limit(&argv, "cpu", (uint64_t)(limits->cpu_time_ms + 999) / 1000);
	add_limit(&argv, "as", limits->address_space_bytes);
	add_limit(&argv, "fsize", limits->file_size_bytes);
	add_limit(&argv, "nofile", limits->open_files);
	add_limit(&argv, "nproc", limits->processes);
	if (argv.count > 0)
		string_list_take(&argv, xstrdup("--"));
	if (nice > 0) {
		string_list_take(ret_argv, xstrdup(NICE));
		string_list_take(ret_argv, xasprintf("-n%u", nice));
	}
	string_list_copy(ret_argv, argv.items);
	string_list_fini(&argv);
}
