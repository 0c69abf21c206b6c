/* A library to preload: each fsync and fdatasync takes FAULT_SYNC_MS milliseconds longer, as on a disk that is slow. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void
wait_as_told(void)
{
	const char *told = getenv("FAULT_SYNC_MS");
	long ms = told ? strtol(told, NULL, 10) : 0;
	struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&time, NULL);
}

int
fsync(int fd)
{
	wait_as_told();
	return (int)syscall(SYS_fsync, fd);
}

int
fdatasync(int fd)
{
	wait_as_told();
	return (int)syscall(SYS_fdatasync, fd);
}
