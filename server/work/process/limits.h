/*
 * Limits of a program: setrlimit(2) for a process that is about to become one.  They can only lower what the
 * server itself has.
 */
#pragma once

#include <stdint.h>

/* 0: no limit but the server's. */
struct program_limits {
	int64_t cpu_time_ms;	      /* rounded up to seconds; then it is killed */
	uint64_t address_space_bytes; /* of each of its processes */
	uint64_t file_size_bytes;     /* of a file that it writes */
	unsigned open_files;	      /* of each of its processes */
	unsigned processes;	      /* of the user that it runs as, all in all */
};

/* Remembers this process' soft limit of descriptors as that which programs begin with.  Call it before that
 * is raised. */
void program_limits_start(void);

/* Sets the limits (NULL: none) of the calling process, and gives its soft limit of descriptors back.  Only
 * system calls: it is made for a child that shares its parent's memory.  -errno. */
__attribute__((warn_unused_result)) int program_limits_set(const struct program_limits *limits);
