/*
 * Turns: see turn.h.  libevent asks the kernel for as many events as it has room for, and makes more room
 * whenever that is filled; it has no setting for it.  So its call of epoll_wait is taken here: the linker
 * lets a shared library have what the program itself defines before what another library does.  Where it
 * would not, turns would be as long as libevent makes them, and told to be 0.
 */
#include "common/turn.h"

#include "common/clock.h"

#include <stddef.h>
#include <sys/epoll.h>

static _Thread_local int64_t began_us; /* 0: the first turn has not begun */
static _Thread_local int64_t longest_us;

int64_t
turn_take_longest_us(void)
{
	int64_t us = longest_us;

	longest_us = 0;
	return us;
}

int
epoll_wait(int fd, struct epoll_event *events, int max, int timeout_ms)
{
	int64_t took_us = began_us ? clock_mono_us() - began_us : 0;

	if (took_us > longest_us)
		longest_us = took_us;
	int count = epoll_pwait(fd, events, max < TURN_EVENTS ? max : TURN_EVENTS, timeout_ms, NULL);
	began_us = clock_mono_us();
	return count;
}
