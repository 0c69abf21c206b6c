/* Tests of common/pool.c. */
#include "common/loop/pool.h"
#include "tests/unit/common/loop/loop.h"

#include "common/list.h"
#include "common/text.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

struct job {
	struct pool_job job;
	unsigned runs;	    /* written by the thread that runs it, read once it is done */
	unsigned dones;	    /* loop thread */
	unsigned again;	    /* how often it is submitted once more when it is done */
	char name[16];	    /* of the thread that ran it */
	sigset_t blocked;   /* by that thread */
	size_t stack_bytes; /* of that thread */
	int priority;	    /* of that thread */
};

static struct event_base *base;
static struct mailbox *mailbox;
static struct pool *pool;
static unsigned done;	    /* jobs that were completed */
static atomic_uint running; /* jobs that wait at the gate, or run now */
static atomic_uint most;    /* of running, ever */
static pthread_mutex_t gate_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_moved = PTHREAD_COND_INITIALIZER;
static unsigned gate_passes; /* jobs that may still pass the gate */
static unsigned gate_waits;  /* jobs that wait at the gate */

static void
on_done(struct pool_job *pool_job)
{
	struct job *job = container_of(pool_job, struct job, job);

	done++;
	job->dones++;
	if (job->again > 0) {
		job->again--;
		pool_submit(pool, pool_job);
	}
}

static void
on_done_free(struct pool_job *pool_job)
{
	done++;
	free(container_of(pool_job, struct job, job));
}

static void
enter(void)
{
	unsigned now = atomic_fetch_add(&running, 1) + 1;
	unsigned before = atomic_load(&most);

	while (before < now && !atomic_compare_exchange_weak(&most, &before, now))
		;
}

static void
run_plain(struct pool_job *job)
{
	enter();
	container_of(job, struct job, job)->runs++;
	atomic_fetch_sub(&running, 1);
}

static void
run_gated(struct pool_job *job)
{
	enter();
	pthread_mutex_lock(&gate_lock);
	gate_waits++;
	pthread_cond_broadcast(&gate_moved);
	while (gate_passes == 0)
		pthread_cond_wait(&gate_moved, &gate_lock);
	gate_passes--;
	gate_waits--;
	pthread_mutex_unlock(&gate_lock);
	container_of(job, struct job, job)->runs++;
	atomic_fetch_sub(&running, 1);
}

/* Waits until count jobs stand at the gate. */
static void
gate_await(unsigned count)
{
	pthread_mutex_lock(&gate_lock);
	while (gate_waits != count)
		pthread_cond_wait(&gate_moved, &gate_lock);
	pthread_mutex_unlock(&gate_lock);
}

/* Lets count jobs through, now or when they come. */
static void
gate_open(unsigned count)
{
	pthread_mutex_lock(&gate_lock);
	gate_passes += count;
	pthread_cond_broadcast(&gate_moved);
	pthread_mutex_unlock(&gate_lock);
}

static void
run_look_around(struct pool_job *pool_job)
{
	struct job *job = container_of(pool_job, struct job, job);
	pthread_attr_t attr;

	job->runs++;
	pthread_getname_np(pthread_self(), job->name, sizeof job->name);
	pthread_sigmask(SIG_SETMASK, NULL, &job->blocked);
	job->priority = getpriority(PRIO_PROCESS, 0);
	if (pthread_getattr_np(pthread_self(), &attr) == 0) {
		pthread_attr_getstacksize(&attr, &job->stack_bytes);
		pthread_attr_destroy(&attr);
	}
}

static struct job *
make_jobs(size_t count, void (*run)(struct pool_job *job))
{
	struct job *jobs = xcalloc(count, sizeof *jobs);

	for (size_t i = 0; i < count; i++) {
		jobs[i].job.run = run;
		jobs[i].job.done = on_done;
	}
	return jobs;
}

static void
submit(struct job *jobs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		pool_submit(pool, &jobs[i].job);
}

/* Runs the loop until count jobs are done. */
static void
await_done(unsigned count)
{
	while (done < count)
		assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
	assert_int_equal(done, count);
}

static void
make_pool(unsigned max_threads)
{
	assert_int_equal(pool_new("test", mailbox, max_threads, &pool), 0);
}

static int
setup(void **state)
{
	base = loop_new();
	done = 0;
	atomic_store(&running, 0);
	atomic_store(&most, 0);
	gate_passes = gate_waits = 0;
	return mailbox_new(base, &mailbox);
}

static int
teardown(void **state)
{
	pool_free(pool);
	pool = NULL;
	mailbox_free(mailbox);
	event_base_free(base);
	return 0;
}

static void
test_no_work(void **state)
{
	make_pool(3);
	assert_int_equal(pool_threads(pool), 1);
	assert_int_equal(pool_busy(pool), 0);
	pool_free(NULL);
}

static void
test_once_each(void **state)
{
	enum { COUNT = 20000 };
	struct job *jobs = make_jobs(COUNT, run_plain);

	make_pool(4);
	submit(jobs, COUNT);
	await_done(COUNT);
	for (size_t i = 0; i < COUNT; i++) {
		assert_int_equal(jobs[i].runs, 1);
		assert_int_equal(jobs[i].dones, 1);
	}
	assert_in_range(pool_threads(pool), 1, 4);
	assert_in_range(atomic_load(&most), 1, 4);
	assert_int_equal(pool_busy(pool), 0);
	free(jobs);
}

/* One thread does for work that comes one by one: it is free again before it tells that it is. */
static void
test_one_by_one(void **state)
{
	struct job *job = make_jobs(1, run_plain);

	make_pool(8);
	job->again = 2999;
	submit(job, 1);
	while (done < 3000) {
		assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
		assert_int_equal(pool_threads(pool), 1);
	}
	free(job);
}

/* The threads of one pool, and nobody else. */
static void
test_nice(void **state)
{
	struct job *jobs = make_jobs(2, run_look_around);
	int own = getpriority(PRIO_PROCESS, 0);

	make_pool(1);
	pool_set_nice(pool, 3);
	submit(jobs, 2);
	await_done(2);
	assert_int_equal(jobs[0].priority, own + 3 > 19 ? 19 : own + 3);
	assert_int_equal(jobs[1].priority, jobs[0].priority);
	assert_int_equal(getpriority(PRIO_PROCESS, 0), own);
	free(jobs);
}

/* As many threads as there are jobs that block, up to the limit; the others wait. */
static void
test_on_demand(void **state)
{
	struct job *jobs = make_jobs(7, run_gated);

	make_pool(5);
	for (unsigned i = 1; i <= 5; i++) {
		submit(&jobs[i - 1], 1);
		gate_await(i);
		assert_int_equal(pool_threads(pool), i);
		assert_int_equal(pool_busy(pool), i);
	}
	submit(&jobs[5], 2);
	assert_int_equal(pool_threads(pool), 5);
	gate_open(1);
	await_done(1);
	gate_await(5);
	assert_int_equal(pool_busy(pool), 5);
	gate_open(6);
	await_done(7);
	assert_int_equal(pool_busy(pool), 0);
	assert_int_equal(pool_threads(pool), 5);
	assert_int_equal(atomic_load(&most), 5);
	free(jobs);
}

/* Many jobs at once find as many threads, whether those are idle, starting or still to be made. */
static void
test_burst(void **state)
{
	enum { COUNT = 12 };
	struct job *jobs = make_jobs(COUNT, run_gated);

	make_pool(COUNT);
	for (unsigned burst = 1; burst <= COUNT; burst++) {
		done = 0;
		submit(jobs, burst);
		gate_await(burst); /* would wait for ever if two had to share a thread */
		assert_int_equal(pool_threads(pool), burst);
		gate_open(burst);
		await_done(burst);
	}
	free(jobs);
}

static void
test_free_runs_queue(void **state)
{
	enum { COUNT = 50 };
	struct job *jobs = make_jobs(COUNT, run_gated);

	make_pool(3);
	submit(jobs, COUNT);
	gate_await(3);
	gate_open(COUNT);
	pool_free(pool);
	pool = NULL;
	mailbox_drain(mailbox);
	assert_int_equal(done, COUNT);
	for (size_t i = 0; i < COUNT; i++)
		assert_int_equal(jobs[i].runs, 1);
	free(jobs);
}

static void
test_free_idle(void **state)
{
	struct job *job = make_jobs(1, run_plain);

	make_pool(3);
	submit(job, 1);
	await_done(1);
	pool_free(pool);
	make_pool(2);
	free(job);
}

static void
test_done_frees(void **state)
{
	make_pool(4);
	for (unsigned i = 0; i < 1000; i++) {
		struct job *job = make_jobs(1, run_plain);

		job->job.done = on_done_free;
		submit(job, 1);
	}
	await_done(1000);
}

/* Threads have a name, a stack that is small but large enough, and leave signals to the loop. */
static void
test_threads(void **state)
{
	struct job *job = make_jobs(1, run_look_around);
	static const int blocked[] = {SIGTERM, SIGHUP, SIGINT, SIGCHLD, SIGPIPE, SIGALRM, SIGUSR1, SIGWINCH};
	sigset_t mask;

	make_pool(1);
	submit(job, 1);
	await_done(1);
	assert_string_equal(job->name, "test-0");
	assert_in_range(job->stack_bytes, 256 * 1024, 1024 * 1024);
	for (size_t i = 0; i < sizeof blocked / sizeof *blocked; i++)
		assert_int_equal(sigismember(&job->blocked, blocked[i]), 1);
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	assert_int_equal(sigismember(&mask, SIGTERM), 0);
	free(job);
}

static void
test_long_name(void **state)
{
	struct job *job = make_jobs(1, run_look_around);

	assert_int_equal(pool_new("0123456789", mailbox, 1, &pool), 0);
	submit(job, 1);
	await_done(1);
	assert_string_equal(job->name, "0123456789-0");
	free(job);
}

/* Makes pthread_create() fail from now on; for a child process, which it leaves without privileges. */
static void
forbid_threads(void)
{
	struct rlimit none;

	if (getuid() == 0 && setresuid(64999, 64999, 64999) != 0)
		_exit(100);
	if (getrlimit(RLIMIT_NPROC, &none) != 0)
		_exit(101);
	none.rlim_cur = 0;
	if (setrlimit(RLIMIT_NPROC, &none) != 0)
		_exit(102);
}

/* Runs body in a child process; answers how that ended.  The child reports by its exit status alone. */
static int
in_child(void (*body)(void))
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		close(STDERR_FILENO); /* what it says as it aborts is no news */
		body();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
wait_without_new_threads(void)
{
	static struct job *jobs; /* leak checkers still see it as the child exits */

	jobs = make_jobs(20, run_gated);
	make_pool(8);
	submit(jobs, 2);
	gate_await(2);
	forbid_threads();
	submit(&jobs[2], 18);
	if (pool_threads(pool) != 2 || pool_busy(pool) != 2)
		_exit(1);
	gate_open(20);
	while (done < 20)
		event_base_loop(base, EVLOOP_ONCE);
	pool_free(pool);
	_exit(atomic_load(&most) == 2 ? 0 : 2);
}

/* Where no more threads are to be had, those that are do the work. */
static void
test_no_more_threads(void **state)
{
	assert_int_equal(in_child(wait_without_new_threads), 0);
}

static void
submit_without_new_threads(void)
{
	static struct job *jobs;

	jobs = make_jobs(3, run_plain);
	make_pool(8);
	forbid_threads();
	submit(jobs, 3);
	while (done < 3)
		event_base_loop(base, EVLOOP_ONCE);
	_exit(pool_threads(pool) == 1 ? 0 : 1);
}

/* The first thread is there from the start: a limit that is reached later keeps no job from being run. */
static void
test_first_thread(void **state)
{
	assert_int_equal(in_child(submit_without_new_threads), 0);
}

static void
make_pool_without_threads(void)
{
	struct pool *none = NULL;

	forbid_threads();
	_exit(pool_new("test", mailbox, 8, &none) == -EAGAIN && !none ? 0 : 1);
}

static void
test_no_threads(void **state)
{
	assert_int_equal(in_child(make_pool_without_threads), 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_no_more_threads),
		TEST(test_first_thread),
		TEST(test_no_threads),
		TEST(test_no_work),
		TEST(test_once_each),
		TEST(test_one_by_one),
		TEST(test_nice),
		TEST(test_on_demand),
		TEST(test_burst),
		TEST(test_free_runs_queue),
		TEST(test_free_idle),
		TEST(test_done_frees),
		TEST(test_threads),
		TEST(test_long_name),
	};

	alarm(120); /* a job that never runs lets a test wait for ever */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
