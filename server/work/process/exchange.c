/*
 * The exchange with a running process.
 *
 * A stop has three steps, and each has its time: SIGTERM to the group (with SIGCONT, for what is stopped),
 * SIGKILL to the whole tree after the grace time, and giving up on what not even that has ended.
 */
#include "work/process/exchange.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "work/process/orphans.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_BYTES ((size_t)64 * 1024)

/* How long after SIGKILL a process that is still there is given up: it is another user's, or stuck in the
 * kernel. */
#define GIVE_UP_MS 5000

/* How often output for which there was no room on the disk is offered again. */
#define ROOM_RETRY_MS 200

/* How often we look for the end of a process where no descriptor tells of it. */
#define LOOK_MS 10

/* The descriptors of a poll.  The leader stands last, so that its pipes are read before its end is seen. */
enum channel { OUTPUT, ERRORS, PROGRESS, INPUT, WAKE, LEADER, CHANNEL_COUNT };

enum phase {
	RUNNING,
	TERMINATING, /* SIGTERM was sent; next_ms is when SIGKILL will be */
	KILLED,	     /* SIGKILL was sent; next_ms is when the process is given up */
	ENDED,	     /* it has ended, and must be waited for */
	GIVEN_UP,
};

struct exchange {
	struct text held; /* output that waits for room on the disk; empty: none does */
	int64_t retry_ms; /* when it is offered again */
	const struct exchange_spec *spec;
	struct process *process;
	struct work_control *control;
	enum phase phase;
	int64_t next_ms; /* when TERMINATING or KILLED is over */
	size_t written;	 /* bytes of the input */
	int error;	 /* why the process is to end; 0: it is not told to */
	char *buffer;	 /* BUFFER_BYTES */
};

static int *
fd_of(const struct exchange *exchange, enum channel channel)
{
	struct process *process = exchange->process;
	int *const fds[CHANNEL_COUNT] = {
		[OUTPUT] = &process->output_fd,
		[ERRORS] = &process->error_fd,
		[PROGRESS] = &process->progress_fd,
		[INPUT] = &process->input_fd,
		[WAKE] = &exchange->control->wake_fd,
		[LEADER] = &process->pidfd,
	};

	return fds[channel];
}

static void
kill_tree(struct exchange *exchange)
{
	/* The group at once, so that none of it can fork; then what has left it. */
	process_signal(exchange->process, SIGKILL);
	orphans_kill_tree(exchange->process->pid, &exchange->spec->id);
}

static void
kill_now(struct exchange *exchange)
{
	if (exchange->phase >= KILLED)
		return;
	kill_tree(exchange);
	exchange->phase = KILLED;
	exchange->next_ms = clock_mono_ms() + GIVE_UP_MS;
}

static void
terminate(struct exchange *exchange)
{
	if (exchange->phase >= TERMINATING)
		return;
	process_signal(exchange->process, SIGTERM);
	process_signal(exchange->process, SIGCONT);
	exchange->phase = TERMINATING;
	exchange->next_ms = clock_mono_ms() + exchange->control->stop_grace_ms;
}

static void
tell_room(const struct exchange *exchange, bool waits)
{
	if (waits)
		log_warning(
			"a program waits for room on the disk", "operation=%s", LOG_ID(&exchange->spec->id));
	if (exchange->control->on_room)
		exchange->control->on_room(exchange->control, waits);
}

static void
drop_held(struct exchange *exchange)
{
	if (exchange->held.len == 0)
		return;
	text_fini(&exchange->held);
	tell_room(exchange, false);
}

static void
hold(struct exchange *exchange, const char *data, size_t len)
{
	text_add(&exchange->held, data, len);
	exchange->retry_ms = clock_mono_ms() + ROOM_RETRY_MS;
	tell_room(exchange, true);
}

static bool
is_for_want_of_room(int rc)
{
	return rc == -ENOSPC || rc == -EDQUOT;
}

static void
heed_stop(struct exchange *exchange)
{
	int stop = atomic_load(&exchange->control->stop);

	if (stop == WORK_GOES_ON)
		return;
	drop_held(exchange);
	if (exchange->error == 0)
		exchange->error = -ECANCELED;
	if (stop == WORK_STOP)
		terminate(exchange);
	else
		kill_now(exchange);
}

static void
heed_time(struct exchange *exchange)
{
	if (exchange->phase == RUNNING || exchange->phase >= ENDED || clock_mono_ms() < exchange->next_ms)
		return;
	if (exchange->phase == TERMINATING)
		kill_now(exchange);
	else
		exchange->phase = GIVEN_UP;
}

static void
fail_output(struct exchange *exchange, int error)
{
	exchange->error = error;
	if (error < 0)
		kill_now(exchange);
}

static void
offer(struct exchange *exchange, const char *data, size_t len)
{
	int rc = exchange->spec->on_output(exchange->spec->arg, data, len);

	if (is_for_want_of_room(rc))
		hold(exchange, data, len);
	else
		fail_output(exchange, rc);
}

/* Reads up to len bytes once and passes them to whom they are for: their number, 0 when there are none (any
 * more). */
static size_t
take(struct exchange *exchange, enum channel channel, size_t len)
{
	const struct exchange_spec *spec = exchange->spec;
	int *fd = fd_of(exchange, channel);
	ssize_t n = read(*fd, exchange->buffer, len < BUFFER_BYTES ? len : BUFFER_BYTES);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		process_close(fd);
		return 0;
	}
	if (channel == ERRORS) {
		spec->on_error(spec->arg, exchange->buffer, (size_t)n);
	} else if (channel == PROGRESS) {
		spec->on_progress(spec->arg, exchange->buffer, (size_t)n);
	} else if (exchange->error == 0) {
		offer(exchange, exchange->buffer, (size_t)n);
	}
	return (size_t)n;
}

/* Offers what is held again, once it is time. */
static void
retry_held(struct exchange *exchange)
{
	if (exchange->held.len == 0 || clock_mono_ms() < exchange->retry_ms)
		return;
	int rc = exchange->spec->on_output(exchange->spec->arg, exchange->held.data, exchange->held.len);
	exchange->retry_ms = clock_mono_ms() + ROOM_RETRY_MS;
	if (is_for_want_of_room(rc))
		return;
	drop_held(exchange);
	fail_output(exchange, rc);
}

static void
on_readable(struct exchange *exchange, enum channel channel)
{
	take(exchange, channel, BUFFER_BYTES);
}

/* Writes what the pipe takes, without a SIGPIPE for the process or one left pending for the thread. */
static ssize_t
write_quietly(int fd, const char *data, size_t len)
{
	sigset_t pipe_signal, before;

	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
	ssize_t n = write(fd, data, len);
	int error = errno;
	if (n < 0 && error == EPIPE)
		(void)sigtimedwait(&pipe_signal, NULL, &(struct timespec){0});
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return n >= 0 ? n : -error;
}

static void
on_writable(struct exchange *exchange, enum channel channel)
{
	const struct exchange_spec *spec = exchange->spec;
	int *fd = fd_of(exchange, channel);
	ssize_t n = write_quietly(*fd, spec->input + exchange->written, spec->input_len - exchange->written);

	if (n > 0)
		exchange->written += (size_t)n;
	/* A program need not read its input: that the pipe is broken is no error. */
	if (exchange->written == spec->input_len || (n < 0 && n != -EAGAIN && n != -EINTR))
		process_close(fd);
}

static void
on_wake(struct exchange *exchange, enum channel channel)
{
	uint64_t count;
	ssize_t n = read(*fd_of(exchange, channel), &count, sizeof count);

	(void)n;
	heed_stop(exchange);
}

static void
on_ended(struct exchange *exchange, enum channel channel)
{
	exchange->phase = ENDED;
}

static void (*const on_ready[CHANNEL_COUNT])(struct exchange *exchange, enum channel channel) = {
	[OUTPUT] = on_readable,
	[ERRORS] = on_readable,
	[PROGRESS] = on_readable,
	[INPUT] = on_writable,
	[WAKE] = on_wake,
	[LEADER] = on_ended,
};

static int
poll_timeout_ms(const struct exchange *exchange)
{
	int64_t max_ms = exchange->process->pidfd < 0 ? LOOK_MS : INT_MAX;
	bool is_held = exchange->held.len > 0;

	if (exchange->phase == RUNNING && !is_held)
		return exchange->process->pidfd < 0 ? LOOK_MS : -1;
	int64_t left_ms = (is_held ? exchange->retry_ms : exchange->next_ms) - clock_mono_ms();
	return left_ms < 0 ? 0 : left_ms > max_ms ? (int)max_ms : (int)left_ms;
}

/* While output is held neither more of it is read nor is the end of the process looked at. */
static bool
is_deaf_to(const struct exchange *exchange, enum channel channel)
{
	return exchange->held.len > 0 && (channel == OUTPUT || channel == LEADER);
}

static void
wait_and_act(struct exchange *exchange)
{
	struct pollfd set[CHANNEL_COUNT];

	for (enum channel channel = 0; channel < CHANNEL_COUNT; channel++)
		set[channel] =
			(struct pollfd){.fd = is_deaf_to(exchange, channel) ? -1 : *fd_of(exchange, channel),
				.events = channel == INPUT ? POLLOUT : POLLIN};
	if (poll(set, CHANNEL_COUNT, poll_timeout_ms(exchange)) > 0)
		for (enum channel channel = 0; channel < CHANNEL_COUNT; channel++)
			/* A handler may have closed a later one's descriptor. */
			if (set[channel].revents && *fd_of(exchange, channel) >= 0 &&
				!is_deaf_to(exchange, channel))
				on_ready[channel](exchange, channel);
	retry_held(exchange);
	if (exchange->process->pidfd < 0 && exchange->held.len == 0 && process_has_ended(exchange->process))
		exchange->phase = ENDED;
	heed_time(exchange);
}

/* Waits, after the end of the process, until what is held is taken or the control says stop. */
static void
wait_for_room(struct exchange *exchange)
{
	while (exchange->held.len > 0) {
		struct pollfd wake = {.fd = exchange->control->wake_fd, .events = POLLIN};
		if (poll(&wake, 1, ROOM_RETRY_MS) > 0)
			on_wake(exchange, WAKE);
		heed_stop(exchange);
		retry_held(exchange);
	}
}

/* Takes what a pipe holds at this moment; somebody may still be writing to it, and go on for ever. */
static void
take_rest(struct exchange *exchange, enum channel channel)
{
	int *fd = fd_of(exchange, channel);
	int held = 0;

	if (*fd < 0 || ioctl(*fd, FIONREAD, &held) < 0)
		return;
	for (size_t left = (size_t)held; left > 0 && *fd >= 0;) {
		size_t n = take(exchange, channel, left);
		wait_for_room(exchange);
		if (n == 0)
			return;
		left -= n;
	}
}

static void
finish(struct exchange *exchange, siginfo_t *ret_info)
{
	process_signal(exchange->process, SIGKILL);
	take_rest(exchange, OUTPUT);
	take_rest(exchange, ERRORS);
	take_rest(exchange, PROGRESS);
	/* What has left the group after a normal end is found as an orphan, soon and without this call
	 * waiting for it. */
	if (exchange->error < 0)
		orphans_kill_tree(exchange->process->pid, &exchange->spec->id);
	process_wait(exchange->process, ret_info);
}

int
exchange_run(const struct exchange_spec *spec, struct process *process, struct work_control *control,
	siginfo_t *ret_info)
{
	CLEANUP_FREE char *buffer = malloc(BUFFER_BYTES);
	struct exchange exchange = {.spec = spec, .process = process, .control = control, .buffer = buffer};

	if (!buffer)
		abort();
	heed_stop(&exchange);
	while (exchange.phase < ENDED)
		wait_and_act(&exchange);
	if (exchange.phase == GIVEN_UP) {
		log_error(
			"cannot kill a program", "operation=%s pid=%d", LOG_ID(&spec->id), (int)process->pid);
		process_abandon(process);
	} else {
		finish(&exchange, ret_info);
	}
	return exchange.error;
}
