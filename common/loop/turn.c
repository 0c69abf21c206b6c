/*
 * Turns of the event loop.
 *
 * libevent asks the kernel for as many events as its array holds, and enlarges the array whenever it is full;
 * it has no setting for that.  So we define epoll_wait ourselves: the dynamic linker gives a shared library the
 * program's definition before any other library's.  A libevent that is linked statically, or that calls
 * epoll_pwait2, goes past it: turn_probe finds that out.
 */
#include "common/loop/turn.h"

#include "common/clock.h"

#include <event2/event.h>
#include <stddef.h>
#include <sys/epoll.h>

static _Thread_local int64_t began_us; /* 0: no turn of this thread has begun */
static _Thread_local int64_t longest_us;

bool
turn_probe(struct event_base *base)
{
	began_us = 0;
	(void)event_base_loop(base, EVLOOP_NONBLOCK | EVLOOP_NO_EXIT_ON_EMPTY);
	return began_us != 0;
}

int64_t
turn_take_longest_us(void)
{
	int64_t us = began_us ? longest_us : -1;

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
