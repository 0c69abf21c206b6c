/*
 * The sockets of one thread's transfers, watched with epoll.  A connection is watched from its first use to its
 * end, so that one that carries call after call needs no system call for that, and one that the server closes
 * while it is idle is noticed.
 *
 * For one thread, except transfer_sockets_wake.
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
	bool has_unwatched; /* the kernel refused to watch one: it is tried again */
	unsigned open;	    /* connections */
	unsigned gone;	    /* of these: closed by the server while idle */
};

/* -errno if no descriptor is available. */
__attribute__((warn_unused_result)) int transfer_sockets_init(struct transfer_sockets *sockets);
void transfer_sockets_fini(struct transfer_sockets *sockets);

/* Open a socket for a connection (-1 and errno on failure), and close it. */
__attribute__((warn_unused_result)) int transfer_sockets_open(
	struct transfer_sockets *sockets, int family, int type, int protocol);
int transfer_sockets_close(struct transfer_sockets *sockets, int fd);

/* Sets the events to wait for on a descriptor, which need not be a connection: EPOLLIN, EPOLLOUT, both, or 0.
 * Set 0 before other code closes the descriptor. */
void transfer_sockets_want(struct transfer_sockets *sockets, int fd, uint32_t events);

/* Waits up to most_ms, then calls on_ready for each descriptor with events that were wanted; on_ready may open,
 * close and want.  Returns what ended the wait: one or both flags, or 0 for the time. */
#define TRANSFER_SOCKETS_READY 1u
#define TRANSFER_SOCKETS_WOKEN 2u
typedef void (*transfer_sockets_fn)(void *arg, int fd, uint32_t events);
unsigned transfer_sockets_wait(
	struct transfer_sockets *sockets, int64_t most_ms, transfer_sockets_fn on_ready, void *arg);

/* Whether there are connections and the servers have closed all of them while idle. */
bool transfer_sockets_are_gone(const struct transfer_sockets *sockets);

/* Ends the current wait, or else the next one.  Any thread. */
void transfer_sockets_wake(struct transfer_sockets *sockets);
