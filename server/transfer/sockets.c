/*
 * Sockets.
 *
 * The kernel may watch a connection for more input than is wanted at the moment.  What then comes without
 * being wanted (as a rule the other side closes a kept connection) makes it watch for exactly what is wanted,
 * or for the end of a connection of which nothing is.  Descriptors that are no connections may be closed
 * without a word, and are watched for exactly what is wanted at any time.
 */
#include "transfer/sockets.h"

#include "common/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS_PER_WAIT 64

/* How soon what the kernel would not watch is tried again. */
#define RETRY_MS 100

struct transfer_socket {
	uint32_t wanted;    /* EPOLLIN, EPOLLOUT */
	uint32_t watched;   /* the same, or EPOLLRDHUP; 0: not in the set */
	bool is_connection; /* from transfer_sockets_open */
	bool is_gone;	    /* the other side has closed it while nothing was wanted of it */
};

int
transfer_sockets_init(struct transfer_sockets *sockets)
{
	*sockets = (struct transfer_sockets){.epoll_fd = epoll_create1(EPOLL_CLOEXEC), .wake_fd = -1};
	if (sockets->epoll_fd >= 0)
		sockets->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = sockets->wake_fd};
	if (sockets->wake_fd >= 0 &&
		epoll_ctl(sockets->epoll_fd, EPOLL_CTL_ADD, sockets->wake_fd, &event) == 0)
		return 0;
	int rc = -errno;
	transfer_sockets_fini(sockets);
	return rc;
}

void
transfer_sockets_fini(struct transfer_sockets *sockets)
{
	if (sockets->wake_fd >= 0)
		close(sockets->wake_fd);
	if (sockets->epoll_fd >= 0)
		close(sockets->epoll_fd);
	free(sockets->by_fd);
	*sockets = (struct transfer_sockets){.epoll_fd = -1, .wake_fd = -1};
}

static struct transfer_socket *
get(struct transfer_sockets *sockets, int fd)
{
	size_t i = (size_t)fd, size = sockets->size;

	if (i >= size) {
		size = i < 2 * size ? 2 * size : i + 1;
		sockets->by_fd = reallocarray(sockets->by_fd, size, sizeof *sockets->by_fd);
		if (!sockets->by_fd)
			abort();
		memset(sockets->by_fd + sockets->size, 0, (size - sockets->size) * sizeof *sockets->by_fd);
		sockets->size = size;
	}
	return &sockets->by_fd[i];
}

/* Has it watched for exactly what is wanted; a connection of which nothing is, for its end. */
static void
watch(struct transfer_sockets *sockets, int fd)
{
	struct transfer_socket *socket = get(sockets, fd);
	bool is_kept = socket->is_connection && !socket->is_gone && socket->watched != 0;
	struct epoll_event event = {.data.fd = fd};

	event.events = socket->wanted == 0 && is_kept ? EPOLLRDHUP : socket->wanted;
	int how = event.events == 0 ? EPOLL_CTL_DEL : socket->watched == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
	/* A socket that cannot be removed is not in the set. */
	if (epoll_ctl(sockets->epoll_fd, how, fd, &event) == 0 || how == EPOLL_CTL_DEL)
		socket->watched = event.events;
	else
		sockets->has_unwatched = true;
}

static void
watch_again(struct transfer_sockets *sockets)
{
	sockets->has_unwatched = false;
	for (size_t fd = 0; fd < sockets->size; fd++)
		if (sockets->by_fd[fd].wanted & ~sockets->by_fd[fd].watched)
			watch(sockets, (int)fd);
}

int
transfer_sockets_open(struct transfer_sockets *sockets, int family, int type, int protocol)
{
	int fd = socket(family, type | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		return fd;
	*get(sockets, fd) = (struct transfer_socket){.is_connection = true};
	sockets->open++;
	return fd;
}

int
transfer_sockets_close(struct transfer_sockets *sockets, int fd)
{
	struct transfer_socket *socket = get(sockets, fd);

	sockets->open -= socket->is_connection;
	sockets->gone -= socket->is_gone;
	*socket = (struct transfer_socket){0};
	return close(fd);
}

void
transfer_sockets_want(struct transfer_sockets *sockets, int fd, uint32_t events)
{
	struct transfer_socket *socket = get(sockets, fd);
	bool is_enough = socket->is_connection && socket->watched == (events | EPOLLIN);

	socket->wanted = events;
	if (socket->watched != events && !is_enough)
		watch(sockets, fd);
}

/* Something has come on what nothing is wanted of. */
static void
meet_unwanted(struct transfer_sockets *sockets, int fd, uint32_t ready)
{
	struct transfer_socket *socket = get(sockets, fd);

	if (socket->is_connection && !socket->is_gone && ready & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
		socket->is_gone = true;
		sockets->gone++;
	}
	watch(sockets, fd);
}

static void
tell(struct transfer_sockets *sockets, const struct epoll_event *event, transfer_sockets_fn on_ready,
	void *arg)
{
	int fd = event->data.fd;
	uint32_t ready = event->events, wanted = get(sockets, fd)->wanted;

	if (ready & (EPOLLERR | EPOLLHUP))
		ready |= EPOLLIN | EPOLLOUT;
	if (ready & wanted)
		on_ready(arg, fd, ready & wanted);
	else if (wanted == 0)
		meet_unwanted(sockets, fd, event->events);
	else if (get(sockets, fd)->watched != wanted)
		watch(sockets, fd);
}

unsigned
transfer_sockets_wait(
	struct transfer_sockets *sockets, int64_t most_ms, transfer_sockets_fn on_ready, void *arg)
{
	struct epoll_event events[EVENTS_PER_WAIT];
	unsigned what = 0;

	if (sockets->has_unwatched && most_ms > RETRY_MS)
		most_ms = RETRY_MS;
	int count = epoll_wait(sockets->epoll_fd, events, EVENTS_PER_WAIT, (int)most_ms);
	if (sockets->has_unwatched)
		watch_again(sockets);
	for (int i = 0; i < count; i++) {
		if (events[i].data.fd == sockets->wake_fd) {
			what |= TRANSFER_SOCKETS_WOKEN;
		} else {
			what |= TRANSFER_SOCKETS_READY;
			tell(sockets, &events[i], on_ready, arg);
		}
	}
	return what;
}

bool
transfer_sockets_are_gone(const struct transfer_sockets *sockets)
{
	return sockets->open > 0 && sockets->gone == sockets->open;
}

void
transfer_sockets_wake(struct transfer_sockets *sockets)
{
	uint64_t one = 1;

	/* Fails only while the counter is near its end, which no number of wakes comes to. */
	ssize_t n = write(sockets->wake_fd, &one, sizeof one);
	(void)n;
}
