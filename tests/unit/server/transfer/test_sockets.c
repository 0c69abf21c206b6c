/* Tests of work/transfer_sockets.c. */
#include "transfer/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_MS 10000

struct fixture {
	struct transfer_sockets sockets;
	int listener;
	struct sockaddr_in address;

	/* what was told */
	unsigned count;
	int fd;
	uint32_t events;
};

static int
set_up(void **state)
{
	static struct fixture fixture;
	struct fixture *f = &fixture;
	socklen_t len = sizeof f->address;

	*f = (struct fixture){.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	f->address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_int_equal(bind(f->listener, (struct sockaddr *)&f->address, len), 0);
	assert_int_equal(listen(f->listener, 8), 0);
	assert_int_equal(getsockname(f->listener, (struct sockaddr *)&f->address, &len), 0);
	assert_int_equal(transfer_sockets_init(&f->sockets), 0);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	transfer_sockets_fini(&f->sockets);
	close(f->listener);
	return 0;
}

static void
on_ready(void *arg, int fd, uint32_t events)
{
	struct fixture *f = arg;

	f->count++;
	f->fd = fd;
	f->events = events;
}

/* What a wait of at most that long has told of fd; it told of nothing else. */
static uint32_t
ready(struct fixture *f, int fd, int64_t most_ms)
{
	f->count = 0;
	f->events = 0;
	unsigned what = transfer_sockets_wait(&f->sockets, most_ms, on_ready, f);
	assert_false(what & TRANSFER_SOCKETS_WOKEN);
	assert_true(f->count == 0 || what == TRANSFER_SOCKETS_READY);
	assert_in_range(f->count, 0, 1);
	if (f->count == 1)
		assert_int_equal(f->fd, fd);
	return f->events;
}

/* A connection, and its other side. */
static int
connect_one(struct fixture *f, int *ret_other)
{
	int fd = transfer_sockets_open(&f->sockets, AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&f->address, sizeof f->address), 0);
	*ret_other = accept(f->listener, NULL, NULL);
	assert_true(*ret_other >= 0);
	return fd;
}

static void
say(int fd)
{
	assert_int_equal(send(fd, "x", 1, MSG_NOSIGNAL), 1);
}

static void
hear(int fd)
{
	char byte;

	assert_int_equal(recv(fd, &byte, 1, 0), 1);
}

static void
what_is_wanted_is_told(void **state)
{
	struct fixture *f = *state;
	int other, fd = connect_one(f, &other);

	assert_int_equal(ready(f, fd, 0), 0);
	transfer_sockets_want(&f->sockets, fd, EPOLLOUT);
	assert_int_equal(ready(f, fd, PATIENCE_MS), EPOLLOUT);
	transfer_sockets_want(&f->sockets, fd, EPOLLIN);
	assert_int_equal(ready(f, fd, 0), 0);
	say(other);
	assert_int_equal(ready(f, fd, PATIENCE_MS), EPOLLIN);
	assert_int_equal(ready(f, fd, PATIENCE_MS), EPOLLIN);
	transfer_sockets_want(&f->sockets, fd, EPOLLIN | EPOLLOUT);
	assert_int_equal(ready(f, fd, PATIENCE_MS), EPOLLIN | EPOLLOUT);
	transfer_sockets_want(&f->sockets, fd, EPOLLOUT);
	assert_int_equal(ready(f, fd, PATIENCE_MS), EPOLLOUT);
	transfer_sockets_close(&f->sockets, fd);
	close(other);
}

/* Sockets that the kernel watches. */
static unsigned
count_watched(const struct fixture *f)
{
	char name[64], line[256];
	unsigned count = 0;

	snprintf(name, sizeof name, "/proc/self/fdinfo/%d", f->sockets.epoll_fd);
	FILE *file = fopen(name, "re");
	assert_non_null(file);
	while (fgets(line, sizeof line, file))
		count += strncmp(line, "tfd:", 4) == 0;
	fclose(file);
	return count - 1; /* the eventfd */
}

/* A connection that is kept costs nothing while it is wanted for one call after the other, and what comes on
 * it meanwhile is told to nobody, once: it does not end the waits that follow. */
static void
a_kept_connection_stays_watched(void **state)
{
	struct fixture *f = *state;
	int other, fd = connect_one(f, &other);

	for (int i = 0; i < 3; i++) {
		transfer_sockets_want(&f->sockets, fd, EPOLLIN);
		say(other);
		assert_int_equal(ready(f, fd, PATIENCE_MS), EPOLLIN);
		hear(fd);
		transfer_sockets_want(&f->sockets, fd, 0);
		assert_int_equal(count_watched(f), 1);
	}
	say(other);
	assert_int_equal(ready(f, fd, PATIENCE_MS), 0);
	assert_int_equal(transfer_sockets_wait(&f->sockets, 0, on_ready, f), 0);
	assert_int_equal(count_watched(f), 1);
	transfer_sockets_want(&f->sockets, fd, EPOLLIN);
	assert_int_equal(ready(f, fd, PATIENCE_MS), EPOLLIN);
	transfer_sockets_close(&f->sockets, fd);
	close(other);
}

static void
the_other_side_has_gone(void **state)
{
	struct fixture *f = *state;
	int other, fd = connect_one(f, &other);
	struct linger reset = {.l_onoff = 1};

	transfer_sockets_want(&f->sockets, fd, EPOLLOUT);
	assert_int_equal(setsockopt(other, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
	close(other);
	transfer_sockets_want(&f->sockets, fd, EPOLLIN);
	assert_int_equal(ready(f, fd, PATIENCE_MS), EPOLLIN);
	transfer_sockets_want(&f->sockets, fd, 0);
	assert_int_equal(ready(f, fd, 0), 0);
	transfer_sockets_close(&f->sockets, fd);
}

/* The other side has closed: that is met once.  What it has said before is not taken for that. */
static void
wait_for_end(struct fixture *f)
{
	unsigned gone = f->sockets.gone;

	while (f->sockets.gone == gone) {
		assert_int_equal(
			transfer_sockets_wait(&f->sockets, PATIENCE_MS, on_ready, f), TRANSFER_SOCKETS_READY);
		assert_int_equal(f->count, 0);
	}
	assert_int_equal(transfer_sockets_wait(&f->sockets, 0, on_ready, f), 0);
}

static void
kept_connections_have_gone(void **state)
{
	struct fixture *f = *state;
	int others[2], fds[] = {connect_one(f, &others[0]), connect_one(f, &others[1])};

	f->count = 0;
	for (int i = 0; i < 2; i++) {
		transfer_sockets_want(&f->sockets, fds[i], i == 0 ? EPOLLIN : EPOLLIN | EPOLLOUT);
		transfer_sockets_want(&f->sockets, fds[i], 0);
	}
	assert_false(transfer_sockets_are_gone(&f->sockets));
	close(others[0]);
	wait_for_end(f);
	assert_false(transfer_sockets_are_gone(&f->sockets));
	say(others[1]);
	while (f->sockets.gone == 1 && transfer_sockets_wait(&f->sockets, 0, on_ready, f) != 0)
		;
	assert_false(transfer_sockets_are_gone(&f->sockets));
	close(others[1]);
	wait_for_end(f);
	assert_true(transfer_sockets_are_gone(&f->sockets));
	assert_int_equal(count_watched(f), 0);
	for (int i = 0; i < 2; i++)
		transfer_sockets_close(&f->sockets, fds[i]);
	assert_false(transfer_sockets_are_gone(&f->sockets));
}

/* The end of one that is in use is for its user. */
static void
a_connection_in_use_has_not_gone(void **state)
{
	struct fixture *f = *state;
	int other, fd = connect_one(f, &other);

	transfer_sockets_want(&f->sockets, fd, EPOLLIN);
	close(other);
	assert_int_equal(ready(f, fd, PATIENCE_MS), EPOLLIN);
	assert_false(transfer_sockets_are_gone(&f->sockets));
	transfer_sockets_close(&f->sockets, fd);
}

/* The number of a descriptor says nothing of what it was before. */
static void
a_number_is_used_again(void **state)
{
	struct fixture *f = *state;
	int other, fd = connect_one(f, &other);

	transfer_sockets_want(&f->sockets, fd, EPOLLIN);
	transfer_sockets_close(&f->sockets, fd);
	close(other);
	assert_int_equal(connect_one(f, &other), fd);
	say(other);
	assert_int_equal(ready(f, fd, 0), 0);
	transfer_sockets_want(&f->sockets, fd, EPOLLIN);
	assert_int_equal(ready(f, fd, PATIENCE_MS), EPOLLIN);
	transfer_sockets_close(&f->sockets, fd);
	close(other);

	/* What is no connection goes without a word once nothing is wanted of it. */
	for (int i = 0; i < 2; i++) {
		int pipe_fds[2];
		assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
		transfer_sockets_want(&f->sockets, pipe_fds[0], EPOLLIN);
		assert_int_equal(write(pipe_fds[1], "x", 1), 1);
		assert_int_equal(ready(f, pipe_fds[0], PATIENCE_MS), EPOLLIN);
		transfer_sockets_want(&f->sockets, pipe_fds[0], 0);
		close(pipe_fds[0]);
		close(pipe_fds[1]);
	}
}

static void *
wake(void *arg)
{
	transfer_sockets_wake(arg);
	return NULL;
}

static void
a_wait_can_be_ended(void **state)
{
	struct fixture *f = *state;
	pthread_t thread;

	for (int i = 0; i < 3; i++) {
		pthread_create(&thread, NULL, wake, &f->sockets);
		assert_int_equal(
			transfer_sockets_wait(&f->sockets, PATIENCE_MS, on_ready, f), TRANSFER_SOCKETS_WOKEN);
		pthread_join(thread, NULL);
	}
	transfer_sockets_wake(&f->sockets);
	transfer_sockets_wake(&f->sockets);
	assert_int_equal(
		transfer_sockets_wait(&f->sockets, PATIENCE_MS, on_ready, f), TRANSFER_SOCKETS_WOKEN);
	assert_int_equal(transfer_sockets_wait(&f->sockets, 0, on_ready, f), 0);
}

/* What the kernel will not watch is tried again before long, and holds up nothing else. */
static void
what_cannot_be_watched(void **state)
{
	struct fixture *f = *state;
	int file = open("/dev/null", O_RDONLY | O_CLOEXEC), pipe_fds[2];

	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	transfer_sockets_want(&f->sockets, file, EPOLLIN);
	assert_true(f->sockets.has_unwatched);
	assert_int_equal(ready(f, file, PATIENCE_MS), 0);
	assert_true(f->sockets.has_unwatched);
	assert_int_equal(dup2(pipe_fds[0], file), file);
	assert_int_equal(write(pipe_fds[1], "x", 1), 1);
	assert_int_equal(ready(f, file, PATIENCE_MS), 0);
	assert_false(f->sockets.has_unwatched);
	assert_int_equal(ready(f, file, PATIENCE_MS), EPOLLIN);
	transfer_sockets_want(&f->sockets, file, 0);
	close(file);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

static void
no_descriptors(void **state)
{
	struct fixture *f = *state;
	struct transfer_sockets sockets;
	struct rlimit old, none;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = (struct rlimit){0, old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(transfer_sockets_init(&sockets), -EMFILE);
	assert_int_equal(transfer_sockets_open(&f->sockets, AF_INET, SOCK_STREAM, 0), -1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_wanted_is_told),
		TEST(a_kept_connection_stays_watched),
		TEST(the_other_side_has_gone),
		TEST(kept_connections_have_gone),
		TEST(a_connection_in_use_has_not_gone),
		TEST(a_number_is_used_again),
		TEST(a_wait_can_be_ended),
		TEST(what_cannot_be_watched),
		TEST(no_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
