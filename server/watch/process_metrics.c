/* Metrics of this process, read from /proc and getrusage(2). */
#include "watch/process_metrics.h"

#include "watch/sample.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static unsigned
open_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	unsigned count = 0;

	if (!directory)
		return 0;
	while (readdir(directory))
		count++;
	closedir(directory);
	return count > 3 ? count - 3 : 0; /* ".", ".." and the one that reads */
}

static double
resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%*u %lu", &pages) != 1)
		pages = 0;
	fclose(file);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double
max_descriptors(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? (double)limit.rlim_cur : 0;
}

static double
processor_seconds(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) < 0)
		return 0;
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

void
process_metrics_format(int64_t started_ms, struct text *ret_text)
{
	sample_add_value(ret_text, "process_cpu_seconds_total", "counter", "Processor time used.",
		processor_seconds());
	sample_add_value(
		ret_text, "process_resident_memory_bytes", "gauge", "Resident memory.", resident_bytes());
	sample_add_value(ret_text, "process_open_fds", "gauge", "Open descriptors.", open_descriptors());
	sample_add_value(
		ret_text, "process_max_fds", "gauge", "Limit of open descriptors.", max_descriptors());
	sample_add_value(ret_text, "process_start_time_seconds", "gauge", "Start time of the server.",
		(double)started_ms / 1000);
}
