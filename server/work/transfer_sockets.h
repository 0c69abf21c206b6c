/*
 * The sockets of one thread's transfers, and which of them are ready.  A connection stays among what the
 * kernel watches from its first use to its end: while it carries one call after the other no system call is
 * needed for that.
 *
 * For one thread, but for transfer_sockets_wake.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

struct transfer_socket;

struct transfer_sockets {
	int epoll_fd;
	int wake_fd; /* an eventfd, watched for edges and so never read */
	struct transfer_socket *by_fd;
	size_t size;	    /* of by_fd */
	bool has_unwatched; /* the kernel would not watch one: that is tried again */
	unsigned open;	    /* connections */
	unsigned gone;	    /* of these: the other side has closed them while nothing was wanted of them */
};

/* -errno if there is no descriptor to be had. */
__attribute__((warn_unused_result)) int transfer_sockets_init(struct transfer_sockets *sockets);
void transfer_sockets_fini(struct transfer_sockets *sockets);

/* A new socket for a connection, -1 and errno if there is none; and its end. */
__attribute__((warn_unused_result)) int transfer_sockets_open(
	struct transfer_sockets *sockets, int family, int type, int protocol);
int transfer_sockets_close(struct transfer_sockets *sockets, int fd);

/* What is wanted of a descriptor, which need not be a connection: EPOLLIN, EPOLLOUT, both, or 0, and that
 * before somebody else closes it. */
void transfer_sockets_want(struct transfer_sockets *sockets, int fd, uint32_t events);

/* Waits for at most that long, then tells on_ready of what was wanted and is there, which may open, close and
 * want.  What has ended the wait: one or both, or 0 for the time alone. */
#define TRANSFER_SOCKETS_READY 1u
#define TRANSFER_SOCKETS_WOKEN 2u
typedef void (*transfer_sockets_fn)(void *arg, int fd, uint32_t events);
unsigned transfer_sockets_wait(
	struct transfer_sockets *sockets, int64_t most_ms, transfer_sockets_fn on_ready, void *arg);

/* Whether there are connections, and the other side has closed each while nothing was wanted of it. */
bool transfer_sockets_are_gone(const struct transfer_sockets *sockets);

/* Ends one wait, the next one if there is none.  Any thread. */
void transfer_sockets_wake(struct transfer_sockets *sockets);
