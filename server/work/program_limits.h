/*
 * Limits of a program: setrlimit(2) and nice(2) by way of prlimit(1) and nice(1), which set them and become the program.  posix_spawn(3) knows
 * of no limits, and those of the server itself are not the program's.
 */
#pragma once

#include "work/string_list.h"

#include <stdint.h>

/* 0: no limit. */
struct program_limits {
	int64_t cpu_time_ms;	      /* rounded up to seconds; then it is killed */
	uint64_t address_space_bytes; /* of each of its processes */
	uint64_t file_size_bytes;     /* of a file that it writes */
	unsigned open_files;	      /* of each of its processes */
	unsigned processes;	      /* of the user that the server runs as, all in all */
};

/* What is put before the arguments of a program to set its limits and niceness: nothing where there are none. */
void program_limits_add_command(
	const struct program_limits *limits, unsigned nice, struct string_list *ret_argv);
