/* What the machine allows this server: memory and tasks by its control group, and kinds of file systems.  Any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* UINT64_MAX: no limit is known. */
struct machine_limits {
	uint64_t memory_bytes; /* of the machine, or less by memory.max */
	uint64_t tasks;	       /* threads and processes together: pids.max, systemd's TasksMax */
};

/* Reads the limits of this process.  A control group and all those above it count (cgroup v2).  root is the directory
 * that holds proc and sys; "" is the machine's own. */
void machine_get_limits(const char *root, struct machine_limits *ret_limits);

/* Whether files of this kind (f_type of statfs(2)) are on another machine. */
bool machine_is_network(long type);

/* The same of an existing file or directory; false if it cannot be looked at. */
bool machine_is_on_network(const char *path);

/* Whether everybody may change the file: by its own mode, or by that of its directory, where another file could take its
 * place. */
bool machine_is_open_to_all(const char *path);
